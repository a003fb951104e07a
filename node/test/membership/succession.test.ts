import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  answerContent,
  bodyToCertified,
  bytesToHex,
  type CertifiedRoster,
  type Change,
  concatBytes,
  decodeChange,
  decodeNewsReply,
  decodeRosterRequest,
  decodeRosterStep,
  effortSpan,
  encodeCertifiedRoster,
  encodeGossip,
  encodePoolReply,
  encodeRoster,
  encodeRosterReply,
  encodeRosterRequest,
  encodeSaltRequest,
  encodeTimeReply,
  encodeUnsignedAnswer,
  equalBytes,
  hashToRosterName,
  hexToBytes,
  isGone,
  isVacant,
  keyToMember,
  keyToShards,
  manifestToId,
  newChange,
  nextFirstEpoch,
  oldestOpenEpoch,
  quorum,
  ROSTER_PROTOCOL,
  rosterChain,
  rosterToPredecessor,
  type SheetSignatures,
  type Signer,
  shardToReplicas,
  sheetContent,
  sheetEpochs,
  sheetQuorum,
  signChange,
  signContent,
  signPresence,
  signProposal,
  signVote,
  sponsorQuorum,
  succeed,
} from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { proposerTurn } from '../../src/membership/agreement/proposer-order.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { leafToSalts } from '../../src/salt/secrets/plain-salts.ts'
import { nextState, stateToLeaf } from '../../src/salt/secrets/ratchet.ts'
import { core, freePorts, isServing, ONE_ADDRESS, Stage, untilLater } from '../salt/federation.ts'
import { askReplicas, type Era, startEra } from './era.ts'

const names = (rosters: readonly CertifiedRoster[]): string[] => rosters.map(({ hash }) => bytesToHex(hash))
const isMove = (change: Uint8Array): boolean => decodeChange(change).change.kind === 'move'
const sameItems = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join()
const shardsOf = ({ roster }: CertifiedRoster): number[] => Array.from({ length: roster.shards }, (_, i) => i)

/** Each test continues with the federation that the test before left, because founding one takes long. */
describe('a federation in the course of its rosters', () => {
  const stage = new Stage()
  let era: Era
  const height = (): number => era.central.rosters.newest!.roster.height
  beforeAll(async () => {
    era = await startEra(stage, 5)
  })
  afterAll(() => stage.end())

  const signed = (change: Change, ...signers: Signer[]) =>
    signers.reduce(signChange, newChange(manifestToId(era.players.manifest), change))
  const until = (): number => era.central.rosters.newest!.roster.firstEpoch + 9

  it('a federation agrees on five rosters in a row, the same on every peer, with equal salts from all replicas', async () => {
    const salts = new Set<string>()
    for (let next = 1; next <= 5; next++) {
      const certified = await era.drive(next)
      expect(certified.roster).toMatchObject({ height: next, changes: [], reveals: [] })
      expect(equalBytes(certified.roster.previous, era.central.rosters.at(next - 1)!.hash)).toBe(true)
      expect(certified.votes.length).toBeGreaterThanOrEqual(quorum(6))
      for (const shard of shardsOf(certified)) {
        const answers = await askReplicas(era, certified, shard)
        expect(answers).toHaveLength(3)
        for (const { salt } of answers) expect(salt).toEqual(answers[0]!.salt)
        salts.add(bytesToHex(answers[0]!.salt))
      }
    }
    // Members and secrets change together: no two periods or shards share a salt.
    expect(salts.size).toBe(30)
    // Agreement on the sixth roster may have begun.
    const five = (rosters: readonly CertifiedRoster[]) => names(rosters.slice(0, 6))
    for (const { rosters } of era.memberships()) expect(five(rosters.recent)).toEqual(five(era.central.rosters.recent))
    expect(era.memberships()).toHaveLength(6)
  })

  it('nodes hold seeds of open periods only', async () => {
    const open = oldestOpenEpoch(era.clock.now())
    await untilLater(era.clock, () =>
      era.nodes.every((node) => node.status().shards.every(({ firstEpoch }) => firstEpoch >= open)),
    )
    for (const node of era.nodes) {
      const held = node.status().shards.filter(({ held: isHeld }) => isHeld)
      // Ranks are random, so a node may replicate no shard.
      const hasShards = era.central.rosters.recent.some(({ roster }) => keyToShards(roster, node.key).length > 0)
      expect(held.length > 0).toBe(hasShards)
      expect(era.central.rosters.newest!.roster.firstEpoch).toBeGreaterThan(open)
    }
  })

  it('a restarted node gets the seeds of every open period back, and every peer receives the handovers', async () => {
    const victim = era.nodes.findIndex(({ key }) => keyToShards(era.central.rosters.newest!.roster, key).length > 0)
    const { key } = era.nodes[victim]!
    const held = () => era.nodes[victim]!.status().shards.filter((item) => item.held)
    const before = held()
    const askedOf = era.central.rosters.recent.filter(
      // The oldest may close while the test runs.
      ({ roster }) => roster.firstEpoch > oldestOpenEpoch(era.clock.now()) && keyToShards(roster, key).length > 0,
    )
    expect(askedOf.length).toBeGreaterThanOrEqual(2)
    const ask = async (): Promise<Uint8Array[]> => {
      const salts: Uint8Array[] = []
      for (const certified of askedOf) {
        const answers = await askReplicas(era, certified, keyToShards(certified.roster, key)[0]!)
        salts.push(answers.find(({ node }) => equalBytes(node.key, key))!.salt)
      }
      return salts
    }
    const salts = await ask()
    await era.restart(victim)
    const certifiedFirst = askedOf.map(({ roster }) => roster.firstEpoch)
    const asked = before.filter(({ firstEpoch }) => certifiedFirst.includes(firstEpoch))
    const isHeld = ({ firstEpoch, shard }: (typeof asked)[number]): boolean =>
      held().some((item) => item.firstEpoch === firstEpoch && item.shard === shard)
    await untilLater(era.clock, () => asked.every(isHeld))
    expect(await ask()).toEqual(salts)
    await untilLater(era.clock, () =>
      era
        .memberships()
        .every((membership) =>
          askedOf.every(({ roster }) =>
            membership
              .status()
              .handovers.some((item) => equalBytes(item.taker, key) && item.firstEpoch === roster.firstEpoch),
          ),
        ),
    )
  })

  it('rosters list the addresses that a node moved to last, and an earlier move cannot be replayed', async () => {
    const { clock, nodes } = era
    const member = ({ roster }: CertifiedRoster) => keyToMember(roster, nodes[0]!.key)!
    const made: Uint8Array[] = []
    const first = member(era.central.rosters.newest!)
    expect(first.moved).toBe(0)
    for (let move = 0; move < 2; move++) {
      const [port] = await freePorts(1)
      const addresses = [`/ip4/127.0.0.1/tcp/${port}`]
      const before = member(era.central.rosters.newest!)
      await era.restart(0, { addresses })
      const isThere = (): boolean => sameItems(member(era.central.rosters.newest!).addresses, addresses)
      for (let tries = 0; tries < 4 && !isThere(); tries++) await era.drive(height() + 1)
      const now = member(era.central.rosters.newest!)
      expect(now.addresses).toEqual(addresses)
      expect(now.moved).toBeGreaterThan(before.moved)
      made.push(...era.central.rosters.recent.flatMap(({ roster }) => roster.changes).filter(isMove))
    }
    const moves = [...new Set(made.map(bytesToHex))].map(hexToBytes)
    expect(moves).toHaveLength(2)
    // The first move has not lapsed and its signature is valid, but every pool ignores it.
    const again = encodeGossip({ kind: 'change', change: moves[0]! })
    const { until: lapses } = decodeChange(moves[0]!).change
    expect(lapses).toBeGreaterThan(era.central.rosters.newest!.roster.firstEpoch)
    for (const { pool } of era.memberships()) expect(pool.offer(again)).toBe('ignore')
    const there = member(era.central.rosters.newest!)
    const next = await era.drive(height() + 1)
    expect(member(next)).toMatchObject({ addresses: there.addresses, moved: there.moved })
    await untilLater(clock, () => isServing(nodes[0]!))
  })

  it('a federation admits a sponsored operator, releases a member, and gives an operator a new key', async () => {
    const { players, clock, nodes } = era
    const [joiner, joinerOperator] = [systemRandom(32), systemRandom(32)]
    const [port] = await freePorts(1)
    const addresses = [`/ip4/127.0.0.1/tcp/${port}`]
    const dir = await stage.dir()
    era.dirs.push(dir)
    const newcomer = stage.node({
      ...{ manifest: players.manifest, secret: joiner, operatorSecret: joinerOperator, dir },
      ...{ clock, addresses, random: era.random, limits: ONE_ADDRESS },
    })
    await newcomer.start()
    await untilLater(clock, () => newcomer.status().roster?.height === height())
    expect(newcomer.status()).toMatchObject({ state: 'waiting', shards: [] })

    const join = signed(
      {
        ...{ kind: 'join', until: until(), operator: 'newcomer', addresses },
        ...{ operatorKey: nativeSigner(joinerOperator).key, key: newcomer.key },
      },
      nativeSigner(joiner),
      nativeSigner(joinerOperator),
    )
    const submit = (i: number, change: typeof join): void => nodes[i]!.membership()!.submit(change)
    // No sponsor has signed it yet, so it is not even published.
    expect(() => submit(0, join)).toThrow(expect.objectContaining({ code: 'CHANGE_INVALID' }))
    const now = era.central.rosters.newest!.roster
    const leaving = [1, 2, 4].find((i) => keyToShards(now, nodes[i]!.key).length > 0)!
    const leaver = nodes[leaving]!
    submit(1, signed({ kind: 'leave', until: until(), key: leaver.key }, nativeSigner(players.secrets[leaving]!)))
    const newSecret = systemRandom(32)
    const [from, to] = [nativeSigner(players.operatorSecrets[3]!), nativeSigner(newSecret)]
    submit(2, signed({ kind: 'rotate', until: until(), from: from.key, to: to.key }, from, to))
    // Each sponsor signs at its own node; gossip joins the signatures.
    expect(sponsorQuorum(6)).toBe(3)
    for (let i = 0; i < 3; i++) submit(i, signChange(join, nativeSigner(players.operatorSecrets[i]!)))
    await untilLater(clock, () =>
      era.memberships().every(({ pool }) => pool.changes().some(({ signatures }) => signatures.length === 5)),
    )

    const admits = await era.drive(height() + 1)
    expect(admits.roster.changes.map((change) => decodeChange(change).change.kind).sort()).toEqual([
      'join',
      'leave',
      'rotate',
    ])
    expect(admits.roster.admitted.map(({ key }) => key)).toEqual([newcomer.key])
    expect(isGone(admits.roster, leaver.key)).toBe(true)
    expect(admits.roster.operators[3]!.key).toEqual(to.key)
    expect(keyToMember(admits.roster, leaver.key)).toBeDefined()
    await untilLater(clock, () => newcomer.membership()!.rosters.nextHeight === era.central.rosters.nextHeight)
    expect([newcomer.status().state, leaver.status().state]).toEqual(['waiting', 'draining'])
    expect(newcomer.membership()!.isPeer()).toBe(true)
    // The operator starts its node with the new key and can vote again.
    await era.restart(3, { operatorSecret: newSecret })
    nodes.push(newcomer)

    const ranks = await era.drive(height() + 1)
    expect(ranks.roster.newcomers.map(({ key }) => key)).toEqual([newcomer.key])
    expect(ranks.roster.reveals.filter((nonce) => nonce !== null).length).toBeGreaterThanOrEqual(quorum(6))
    expect(keyToMember(ranks.roster, leaver.key)).toBeUndefined()
    // The leaver is in no roster any more, but still answers for the shards that it holds.
    expect(leaver.status().state).toBe('draining')
    const shared = shardsOf(admits).find((shard) =>
      shardToReplicas(admits.roster, shard).some(({ key }) => equalBytes(key, leaver.key)),
    )
    if (shared !== undefined) {
      const answers = await askReplicas(era, admits, shared)
      for (const { salt } of answers) expect(salt).toEqual(answers[0]!.salt)
    }

    // The leaver and one stopped node do not vote, so a quorum of five needs the new operator and the rotated key.
    const sleeper = [1, 2, 4].find((i) => i !== leaving)!
    await nodes[sleeper]!.stop()
    const takes = await era.drive(height() + 1)
    expect(admits.roster.commitments.filter((item) => item !== null).length).toBeGreaterThanOrEqual(quorum(6))
    expect(admits.roster.operators[6]!.rank).toBeNull()
    expect(takes.roster.operators[6]!.rank).toEqual(ranks.roster.operators[6]!.rank)
    expect(keyToMember(takes.roster, newcomer.key)?.operator).toBe(6)
    expect(quorum(7)).toBe(5)
    expect(takes.votes.map(({ operator }) => operator)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].filter((operator) => operator !== leaving && operator !== sleeper),
    )
    await era.start(sleeper)
    await untilLater(clock, () => isServing(nodes[sleeper]!))
    await untilLater(clock, () => newcomer.status().state === 'serving' && isServing(newcomer))
    for (const shard of shardsOf(takes)) {
      const answers = await askReplicas(era, takes, shard)
      for (const { salt } of answers) expect(salt).toEqual(answers[0]!.salt)
    }
    const taken = newcomer.status().shards.filter(({ firstEpoch }) => firstEpoch === takes.roster.firstEpoch)
    expect(taken).toEqual(
      keyToShards(takes.roster, newcomer.key).map((shard) => ({
        ...{ firstEpoch: takes.roster.firstEpoch, shard, held: true },
      })),
    )
    // The leaver holds no shard once its last epoch has closed, 182 minutes after the epoch's end. Three rosters of
    // 80 minutes may be just enough for that or not, so wait for up to five.
    for (let more = 0; more < 5 && leaver.status().state !== 'waiting'; more++) await era.drive(height() + 1)
    await untilLater(clock, () => leaver.status().state === 'waiting')
    expect(leaver.status().shards).toEqual([])
    await leaver.stop()
    nodes.splice(leaving, 1)
  })

  it('peers drop a convicted member within a minute, and the next roster removes it', async () => {
    const { clock, nodes } = era
    const liar = nodes[0]!
    const secret = nativeSigner(era.players.secrets[0]!)
    const certified = era.central.rosters.newest!
    const { firstEpoch } = certified.roster
    const roster = hashToRosterName(certified.hash)
    const request = encodeSaltRequest({ roster, shard: 0, blocks: [{ size: 80, n: firstEpoch }] })
    const entries = Array.from({ length: 31 }, () => systemRandom(32))
    const epochs = [{ epoch: firstEpoch, mask: 1 << 30, entries, path: [] }]
    const unsigned = encodeUnsignedAnswer({ time: clock.now(), roster, shard: 0, epochs })
    const answer = concatBytes(unsigned, signContent(secret, 'geotrace/salt-answer', answerContent(request, unsigned)))
    const others = () => era.memberships().filter((membership) => membership !== liar.membership())
    const saidMs = clock.now()
    nodes[1]!.membership()!.accuse({ kind: 'answer', key: liar.key, request, answer })
    await untilLater(clock, () => others().every(({ pool }) => pool.isConvicted(liar.key)))
    expect(clock.now() - saidMs).toBeLessThan(60_000)
    for (const { peers } of others()) expect(peers.withKey(liar.key)).toBeUndefined()

    const next = await era.drive(height() + 1, others)
    expect(isGone(next.roster, liar.key)).toBe(true)
    expect(next.roster.changes.map((change) => decodeChange(change).change)).toMatchObject([
      { kind: 'lied', key: liar.key },
    ])
    // The roster has settled the evidence, so the pools drop it.
    await untilLater(clock, () => others().every(({ pool }) => pool.evidence().length === 0))
    await liar.stop()
    nodes.splice(0, 1)
  })

  it('a device builds the same rosters from steps, which take less than a third of the bytes', async () => {
    const { client, players, nodes, central } = era
    const peer = { key: nodes[0]!.key, addresses: nodes[0]!.addresses() }
    const chain = rosterChain(players.manifest)
    let [whole, steps] = [0, 0]
    const rosters = central.rosters.recent.slice()
    for (const { hash, body, roster, ...rest } of rosters) {
      const request = encodeRosterRequest({ op: 'news', height: roster.height, epoch: 0 })
      const bytes = decodeNewsReply(await client.request(peer, ROSTER_PROTOCOL, request)).step!
      chain.take(chain.checkStep(decodeRosterStep(bytes)))
      expect(chain.newest).toMatchObject({ hash, body, roster, sheetSignatures: [] })
      whole += encodeCertifiedRoster({ body, ...rest }).length
      steps += bytes.length
    }
    expect(chain.recent).toHaveLength(rosters.length)
    expect(steps).toBeLessThan(whole / 3)
    const kinds = rosters.flatMap(({ roster }) => roster.changes.map((item) => decodeChange(item).change.kind))
    expect(new Set(kinds)).toEqual(new Set(['join', 'leave', 'rotate', 'lied', 'move']))
    expect(rosters.some(({ roster }) => roster.reveals.length > 0)).toBe(true)
  })

  it('the nodes wrote no seed, state, leaf or salt to any disk', async () => {
    const files: string[] = []
    for (const dir of era.dirs) {
      const entries = await readdir(dir, { withFileTypes: true, recursive: true })
      // A `.new` file is being written and will replace one of the other files.
      const whole = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.new'))
      files.push(...whole.map((entry) => join(entry.parentPath, entry.name)))
    }
    const bytes = Buffer.concat(await Promise.all(files.map((file) => readFile(file))))
    const holds = (needle: Uint8Array): boolean => bytes.includes(Buffer.from(needle))
    expect(holds(era.central.rosters.newest!.hash)).toBe(true)
    // A seed and a quota key for each shard and period.
    expect(era.drawn.length).toBeGreaterThanOrEqual(2 * 6 * height())
    for (const draw of era.drawn) {
      expect(holds(draw)).toBe(false)
      const [leaf, next] = [stateToLeaf(core, draw), nextState(core, draw)]
      for (const { roster } of era.central.rosters.recent) {
        expect(holds(leafToSalts(core, leaf, roster.firstEpoch).slice(-32))).toBe(false)
      }
      for (const item of [leaf, next, stateToLeaf(core, next)]) expect(holds(item)).toBe(false)
    }
  })

  it('every peer stops and reports a fork when it receives a second certificate for a height, and keeps the first', async () => {
    const { clock, nodes, players } = era
    const { rosters } = era.central
    const before = rosters.at(height() - 1)!
    const first = rosters.newest!
    const other = certifyOther(before, first, [
      ...players.secrets,
      ...players.operatorSecrets,
      players.centralOperatorSecret,
    ])
    // A deceived member announces the other roster and gives it to every peer that asks.
    const astray = nodes.findIndex(({ key }) => keyToMember(first.roster, key) && !isGone(first.roster, key))
    const secret = players.secrets.find((item) => equalBytes(nativeSigner(item).key, nodes[astray]!.key))!
    const { addresses } = keyToMember(first.roster, nodes[astray]!.key)!
    await nodes[astray]!.stop()
    const host = await stage.host(clock, secret, addresses, undefined, ONE_ADDRESS)
    await host.serve(ROSTER_PROTOCOL, async (bytes) => {
      const request = decodeRosterRequest(bytes)
      if (request.op === 'time')
        return encodeTimeReply({ time: clock.now(), federation: manifestToId(players.manifest) })
      if (request.op === 'pool') return encodePoolReply([])
      const shown = request.op === 'get' && request.height === other.roster.height ? other : undefined
      return encodeRosterReply(shown && encodeCertifiedRoster(shown))
    })
    const said = { time: clock.now() + 1, height: other.roster.height, roster: hashToRosterName(other.hash) }
    const rest = era.memberships().filter(({ rosters: known }) => known.newest !== undefined)
    for (const membership of rest) {
      expect(membership.status().isForked).toBe(false)
      membership.say(signPresence(nativeSigner(secret), { ...said, release: new Uint8Array(8), addresses: [] }))
    }
    await untilLater(clock, () => rest.every((membership) => membership.status().isForked))
    for (const { rosters: known } of rest) expect(known.newest!.hash).toEqual(first.hash)
  })
})

/** Another roster of the same height, certified by the same operators, which honest operators never do. */
function certifyOther(before: CertifiedRoster, { roster }: CertifiedRoster, secrets: Uint8Array[]): CertifiedRoster {
  const signers = new Map(secrets.map(nativeSigner).map((signer) => [bytesToHex(signer.key), signer]))
  const { firstEpoch, changes, commitments, reveals } = roster
  const sheets = roster.sheets.map(() => systemRandom(32))
  const other = succeed(before, { firstEpoch, changes, commitments, reveals, sheets })
  const sheetSignatures = sheets.map((root, shard): SheetSignatures => {
    const content = sheetContent({ ...other, shard, firstEpoch, epochs: sheetEpochs(other), root })
    const signed = shardToReplicas(other, shard).flatMap((member): SheetSignatures => {
      const signer = signers.get(bytesToHex(member.key))
      return signer ? [[other.members.indexOf(member), signContent(signer, 'geotrace/sheet', content)]] : []
    })
    return signed.slice(0, sheetQuorum(other.replicas))
  })
  const bare = bodyToCertified(encodeRoster(other), sheetSignatures, [])
  const votes = before.roster.operators.flatMap(({ key }, operator) => {
    const signer = signers.get(bytesToHex(key))
    return signer ? [signVote(signer, operator, { ...other, hash: bare.hash })] : []
  })
  return { ...bare, votes: votes.slice(0, quorum(before.roster.operators.length)) }
}

describe('a federation in trouble', () => {
  const stage = new Stage()
  let era: Era
  beforeAll(async () => {
    era = await startEra(stage, 4)
  })
  afterAll(() => stage.end())

  it('a federation certifies the next roster although the first proposer answers with garbage for its body', async () => {
    const { clock, nodes, players } = era
    const before = rosterToPredecessor(era.central.rosters.newest!)
    const { roster } = era.central.rosters.newest!
    const firstEpoch = nextFirstEpoch(roster, clock.now())
    await clock.jumpTo(Math.max(clock.now(), effortSpan(1, firstEpoch).from))
    const turn = (operator: number): number => proposerTurn(before, firstEpoch, operator)
    const first = [0, 1, 2, 3, 4].sort((a, b) => turn(a) - turn(b))
    // Four of five operators must vote, so one may be bad: the first salt node in the order of proposers.
    const bad = first.find((operator) => operator < 4)!
    await nodes[bad]!.stop()
    const host = await stage.host(
      clock,
      players.secrets[bad]!,
      players.manifest.members[bad]!.addresses,
      undefined,
      ONE_ADDRESS,
    )
    let asked = 0
    await host.serve(ROSTER_PROTOCOL, async (bytes) => {
      const request = decodeRosterRequest(bytes)
      if (request.op === 'time')
        return encodeTimeReply({ time: clock.now(), federation: manifestToId(players.manifest) })
      if (request.op === 'pool') return encodePoolReply([])
      if (request.op === 'body') asked++
      return encodeRosterReply(request.op === 'body' ? systemRandom(99) : undefined)
    })
    const rest = () => era.memberships().filter((item) => item.peers.withKey(host.key) !== undefined)
    const proposal = { height: 1, firstEpoch, hash: systemRandom(32), holder: host.key, operator: bad }
    rest()[0]!.say(signProposal(nativeSigner(players.operatorSecrets[bad]!), roster.federation, proposal))
    await untilLater(clock, () => rest().every(({ rosters }) => rosters.nextHeight === 2))
    expect(asked).toBeGreaterThan(0)
    const certified = era.central.rosters.newest!
    expect(certified.hash).not.toEqual(proposal.hash)
    expect(certified.votes.map(({ operator }) => operator)).not.toContain(bad)
    await host.stop()
    await era.start(bad)
    await untilLater(clock, () => isServing(nodes[bad]!) && nodes[bad]!.status().roster?.height === 1)
  })

  it('the old roster stays in force on its reserve through six periods without a quorum, and the next follows with one', async () => {
    const { clock, nodes } = era
    const { roster } = era.central.rosters.newest!
    for (const i of [0, 1]) await nodes[i]!.stop()
    // The nodes come back without their operators' keys: three votes of five certify nothing.
    for (const i of [0, 1]) await era.start(i, { operatorSecret: systemRandom(32) })
    const tried: number[] = []
    for (let failed = 0; failed < 6; failed++) {
      const firstEpoch = nextFirstEpoch(roster, clock.now())
      tried.push(firstEpoch)
      const { from } = effortSpan(1, firstEpoch)
      if (clock.now() < from) await clock.jumpTo(from)
      await untilLater(clock, () => era.central.pool.votes(2).filter((v) => v.firstEpoch === firstEpoch).length === 3)
      await clock.jumpTo(effortSpan(1, firstEpoch).to)
    }
    expect(new Set(tried).size).toBe(6)
    expect(era.central.rosters.recent).toHaveLength(2)
    // Shards of the failed periods are dropped, except those of the last ones.
    await untilLater(clock, () =>
      nodes.every((node) => node.status().shards.every(({ firstEpoch }) => !tried.slice(0, 3).includes(firstEpoch))),
    )
    // This open epoch lies beyond the roster's period, so it is in the reserve.
    const epoch = oldestOpenEpoch(clock.now()) + 3
    expect(epoch).toBeGreaterThan(roster.firstEpoch + roster.periodEpochs)
    const reserve = { ...era.central.rosters.newest!, roster: { ...roster, firstEpoch: roster.firstEpoch } }
    expect(era.central.rosters.inForce(epoch)?.hash).toEqual(reserve.hash)
    for (const i of [0, 1]) {
      await nodes[i]!.stop()
      await era.start(i)
    }
    const certified = await era.drive(2)
    expect(certified.roster.firstEpoch).toBeGreaterThan(tried.at(-1)!)
    for (const shard of shardsOf(certified)) {
      const answers = await askReplicas(era, certified, shard)
      for (const { salt } of answers) expect(salt).toEqual(answers[0]!.salt)
    }
    await untilLater(clock, () =>
      nodes.every((node) => node.status().shards.every(({ firstEpoch }) => !tried.includes(firstEpoch))),
    )
  })
})

describe('a federation that lost every replica of a shard', () => {
  const stage = new Stage()
  afterAll(() => stage.end())

  it('a federation goes on with a vacant shard when all its replicas are gone, and fills the shard when they are back', async () => {
    // Six of eight operators must vote; with two replicas a majority is both of them.
    const era = await startEra(stage, 7, 2)
    const { clock, nodes } = era
    const isUp = (i: number): boolean => !gone.includes(i)
    const replicasOf = ({ roster }: CertifiedRoster, shard: number): number[] =>
      shardToReplicas(roster, shard).map(({ key }) => nodes.findIndex((node) => equalBytes(node.key, key)))
    const gone = replicasOf(era.central.rosters.newest!, 0)
    for (const i of gone) await nodes[i]!.stop()
    const { roster } = era.central.rosters.newest!
    const firstEpoch = nextFirstEpoch(roster, clock.now())
    const { signAnyFrom, makeDoFrom } = effortSpan(roster.periodEpochs, firstEpoch)
    const signed = (): number => era.central.pool.sheets(firstEpoch).reduce((sum, { sheets }) => sum + sheets.length, 0)
    const upReplicas = shardsOf(era.central.rosters.newest!).flatMap((shard) =>
      replicasOf(era.central.rosters.newest!, shard).filter(isUp),
    )
    // A replica that stays alone makes its seed after half a minute, and none in the second half of the effort.
    for (const afterMs of [0, 40_000]) {
      const at = clock.now() + afterMs
      await clock.jumpTo(at)
      await untilLater(clock, () => clock.now() > at + 4_000)
    }
    await clock.jumpTo(signAnyFrom)
    await untilLater(clock, () => signed() === upReplicas.length)
    expect(era.central.pool.proposals(1, firstEpoch)).toEqual([])
    await clock.jumpTo(makeDoFrom)
    const next = await era.drive(1)
    const isDead = (shard: number): boolean => !replicasOf(next, shard).some(isUp)
    const vacant = shardsOf(next).filter((shard) => isVacant(next.roster, shard))
    expect(vacant).toContain(0)
    expect(vacant).toEqual(shardsOf(next).filter(isDead))
    for (const shard of shardsOf(next)) {
      const signers = next.sheetSignatures[shard]!.map(([member]) => next.roster.members[member]!.key)
      const up = replicasOf(next, shard).filter(isUp)
      expect(signers.map((key) => nodes.findIndex((node) => equalBytes(node.key, key))).sort()).toEqual(up.sort())
    }
    // Returning replicas get the seeds of this roster from the others. Seeds that only they held for the last are lost.
    for (const i of gone) await era.start(i)
    const isWhole = (i: number): boolean => {
      const { roster: known, shards } = nodes[i]!.status()
      return known?.height === 1 && shards.every((item) => item.firstEpoch !== firstEpoch || item.held)
    }
    await untilLater(clock, () => gone.every(isWhole))
    for (const shard of shardsOf(next).filter((item) => !isDead(item))) {
      const [one, ...others] = await askReplicas(era, next, shard)
      for (const { salt } of others) expect(salt).toEqual(one!.salt)
    }
    const refused = askReplicas(era, next, 0)
    await expect(refused).rejects.toMatchObject({ code: 'EPOCH_LOST' })
    const whole = await era.drive(2)
    expect(shardsOf(whole).filter((shard) => isVacant(whole.roster, shard))).toEqual([])
    for (const signatures of whole.sheetSignatures) expect(signatures).toHaveLength(2)
  })
})
