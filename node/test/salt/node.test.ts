import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@geotrace/core-wasm'
import { simulatedClock, systemClock } from '@geotrace/core-wasm'
import {
  answerToSalts,
  assertCertified,
  type Block,
  type CertifiedRoster,
  DAY_MS,
  encodeSaltRequest,
  hashToRosterName,
  keyToShards,
  MINUTE_MS,
  manifestToPredecessor,
  SALT_PROTOCOL,
  shardToReplicas,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Host } from '../../src/net/protocol.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { SaltNode } from '../../src/salt/node.ts'
import { leafToSalts } from '../../src/salt/secrets/plain-salts.ts'
import { nextState, stateToLeaf } from '../../src/salt/secrets/ratchet.ts'
import { errorCode } from '../error-code.ts'
import { type Cast, cast, core, fetchRoster, isServing, Stage, untilLater, watchedRandom } from './federation.ts'
import { foundWith } from './founded.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

const blocksAt = (nowMs: number): Block[] => [
  { size: 5, n: Math.floor(nowMs / (5 * MINUTE_MS)) },
  { size: 20, n: Math.floor(nowMs / (20 * MINUTE_MS)) + 1 },
  { size: 80, n: timeToEpoch(nowMs) - 1 },
  { size: 80, n: timeToEpoch(nowMs) },
]

/** The salts of each replica of a shard, checked as a client checks them. */
async function askReplicas(client: Host, certified: CertifiedRoster, shard: number, blocks: Block[]) {
  const request = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks })
  const answers: Uint8Array[][] = []
  for (const { key, addresses } of shardToReplicas(certified.roster, shard)) {
    const bytes = await client.request({ key, addresses }, SALT_PROTOCOL, request)
    answers.push(answerToSalts(bytes, certified, shard, blocks, key).salts)
  }
  return answers
}

async function expectEqualSalts(client: Host, certified: CertifiedRoster): Promise<void> {
  const salts = await Promise.all(all(certified).map((shard) => askReplicas(client, certified, shard, blocksAt(NOW))))
  for (const replicas of salts) {
    expect(replicas).toHaveLength(3)
    for (const replica of replicas) expect(replica).toEqual(replicas[0])
  }
  expect(salts[0]![0]).not.toEqual(salts[1]![0])
}

const all = (certified: CertifiedRoster): number[] => Array.from({ length: certified.roster.shards }, (_, i) => i)
const holder = (nodes: readonly SaltNode[], { roster }: CertifiedRoster): number =>
  nodes.findIndex(({ key }) => keyToShards(roster, key).length > 0)

describe('a federation of salt nodes', () => {
  it('a federation founds itself over /tcp/ws six days after the manifest was frozen, and replicas of a shard give equal salts', async () => {
    // Openings travel by hand, so the peers may start days after the manifest was frozen: the reserve has seven days.
    const players = await cast(5, NOW - 6 * DAY_MS, { reserveEpochs: 126 }, '/ws')
    const { central, client, certified } = await foundWith(stage, players, simulatedClock(NOW))
    assertCertified(manifestToPredecessor(players.manifest), certified)
    expect(central.rosters.newest!.hash).toEqual(certified.hash)
    await expectEqualSalts(client, certified)
  })

  it('a federation founds itself on the clock of the machine', async () => {
    const players = await cast(5, Date.now())
    const { nodes, client, certified } = await foundWith(stage, players, systemClock())
    expect(new Set(nodes.map((node) => node.status().roster?.name)).size).toBe(1)
    expect(nodes.every((node) => Math.abs(node.status().clockOffsetMs) < 30_000)).toBe(true)
    await askReplicas(client, certified, 0, blocksAt(Date.now()))
    expect(nodes.reduce((sum, node) => sum + node.status().answered, 0)).toBeGreaterThanOrEqual(3)
  })

  it('a replica that starts six hours after the founding gets its seeds and serves', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(5, NOW)
    const sleeper = 2
    const central = await stage.central(players, clock)
    const dirs = await Promise.all(players.secrets.map(() => stage.dir()))
    const nodes = players.secrets.map((secret, i) =>
      stage.node({
        manifest: players.manifest,
        secret,
        operatorSecret: players.operatorSecrets[i]!,
        dir: dirs[i]!,
        clock,
      }),
    )
    const early = nodes.filter((_, i) => i !== sleeper)
    await Promise.all([central.start(), ...early.map((node) => node.start())])
    await untilLater(clock, () => early.every(isServing))
    await clock.jumpTo(NOW + 6 * 60 * MINUTE_MS)
    await nodes[sleeper]!.start()
    await untilLater(clock, () => isServing(nodes[sleeper]!))
    const client = await stage.host(clock)
    const certified = await fetchRoster(client, { key: nodes[sleeper]!.key, addresses: nodes[sleeper]!.addresses() })
    for (const shard of all(certified)) {
      const answers = await askReplicas(client, certified, shard, blocksAt(clock.now()))
      for (const answer of answers) expect(answer).toEqual(answers[0])
    }
  })

  it('nodes answer EPOCH_LOST when every replica lost the seed, and make no second seed', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(3, NOW, { shards: 2, replicas: 2 })
    const { nodes, dirs, client, certified } = await foundWith(stage, players, clock)
    for (const node of nodes) await node.stop()
    let drawn = 0
    const seedRandom: Random = (length) => {
      if (length === 32) drawn++
      return systemRandom(length)
    }
    const again = players.secrets.map((secret, i) =>
      stage.node({
        manifest: players.manifest,
        secret,
        operatorSecret: players.operatorSecrets[i]!,
        dir: dirs[i]!,
        clock,
        seedRandom,
      }),
    )
    await Promise.all(again.map((node) => node.start()))
    await clock.advanceTo(clock.now() + 10_000)
    const holders = again.filter(({ key }) => keyToShards(certified.roster, key).length > 0)
    expect(holders.length).toBeGreaterThan(1)
    for (const node of holders) {
      const [shard] = keyToShards(certified.roster, node.key)
      const request = { roster: hashToRosterName(certified.hash), shard: shard!, blocks: blocksAt(NOW) }
      const bytes = await client.request(
        { key: node.key, addresses: node.addresses() },
        SALT_PROTOCOL,
        encodeSaltRequest(request),
      )
      expect(() => answerToSalts(bytes, certified, shard!, request.blocks, node.key)).toThrow(/secrets of epoch/)
      expect(node.status()).toMatchObject({ state: 'seeds-missing', refused: { EPOCH_LOST: 1 } })
    }
    expect(drawn).toBe(0)
  })
})

/** Each test continues with the federation that the test before left, because founding one takes long. */
describe('a federation that founds itself over /tcp', () => {
  const stage = new Stage()
  const clock = simulatedClock(NOW)
  const { random, drawn } = watchedRandom()
  let players: Cast
  let founded: Awaited<ReturnType<typeof foundWith>>
  beforeAll(async () => {
    players = await cast(5, NOW)
    founded = await foundWith(stage, players, clock, random)
  })
  afterAll(() => stage.end())

  it('every peer has the certified roster, and replicas of a shard give equal salts', async () => {
    const { central, client, certified } = founded
    assertCertified(manifestToPredecessor(players.manifest), certified)
    expect(central.rosters.newest!.hash).toEqual(certified.hash)
    await expectEqualSalts(client, certified)
  })

  it('a restarted node gets its seeds back from other replicas, even hours later when they have been ratcheted', async () => {
    const { nodes, dirs, client, certified } = founded
    const victim = holder(nodes, certified)
    const restart = async () => {
      await nodes[victim]!.stop()
      const manifest = players.manifest
      nodes[victim] = stage.node({ manifest, secret: players.secrets[victim]!, dir: dirs[victim]!, clock })
      await nodes[victim]!.start()
      // The first search may use a connection that has just ended; the next search is two seconds later.
      await untilLater(clock, () => isServing(nodes[victim]!))
    }
    // The agreement on the next roster begins later than these.
    for (const minutes of [1, 240, 390]) {
      await clock.jumpTo(NOW + minutes * MINUTE_MS)
      const blocks = blocksAt(clock.now())
      const ask = () => Promise.all(all(certified).map((shard) => askReplicas(client, certified, shard, blocks)))
      const before = await ask()
      await restart()
      expect(await ask()).toEqual(before)
    }
  })

  it('nodes write no seed, state, leaf or salt to any disk, and only the owner may read their files', async () => {
    const { nodes, dirs, certified } = founded
    for (const node of nodes) await node.stop()

    const files = (await Promise.all(dirs.map((dir) => walk(dir)))).flat()
    const bytes = Buffer.concat(await Promise.all(files.map((file) => readFile(file))))
    const holds = (needle: Uint8Array): boolean => bytes.includes(Buffer.from(needle))
    expect(holds(certified.hash)).toBe(true)
    expect(drawn.length).toBeGreaterThanOrEqual(2 * certified.roster.shards)
    for (const secret of drawn) {
      expect(holds(secret)).toBe(false)
      let state = secret
      for (let epoch = certified.roster.firstEpoch; epoch < certified.roster.firstEpoch + 12; epoch++) {
        const leaf = stateToLeaf(core, state)
        const salts = leafToSalts(core, leaf, epoch)
        state = nextState(core, state)
        for (const item of [leaf, state, salts.slice(0, 32), salts.slice(-32)]) expect(holds(item)).toBe(false)
      }
    }
    for (const file of files) expect((await stat(file)).mode & 0o077, file).toBe(0)
    for (const dir of dirs) expect((await stat(join(dir, 'records'))).mode & 0o777).toBe(0o700)
  })
})

const start = async (more: Partial<Parameters<Stage['node']>[0]>, players: Cast): Promise<string> => {
  const init = {
    manifest: players.manifest,
    secret: players.secrets[0]!,
    dir: await stage.dir(),
    clock: simulatedClock(NOW),
  }
  return await errorCode(stage.node({ ...init, ...more }).start())
}

describe('the start of a salt node', () => {
  it('a node that is stopped while it starts ends up stopped, and frees its port and directory', async () => {
    const players = await cast(3, NOW)
    const init = { manifest: players.manifest, secret: players.secrets[0]!, clock: simulatedClock(NOW) }
    const dir = await stage.dir()
    const node = stage.node({ ...init, dir })
    const started = node.start()
    await node.stop()
    await started
    expect(node.status().state).toBe('stopped')
    // Another node can use the same port and directory.
    expect(await errorCode(stage.node({ ...init, dir }).start())).toBe('OK')
  })

  it('a salt node does not start in a directory that another node uses, or that served another federation', async () => {
    const players = await cast(3, NOW)
    const strangers = await cast(3, NOW)
    const dir = await stage.dir()
    expect(await start({ dir }, players)).toBe('OK')
    expect(await start({ dir, secret: players.secrets[1]! }, players)).toBe('STORE_LOCKED')
    expect(await start({ dir, secret: strangers.secrets[0]! }, strangers)).toBe('MANIFEST_INVALID')
  })
})

async function walk(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
