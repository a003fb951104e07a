/** How long presences and a new roster take to reach all fifty peers of a federation. PROTOCOL.md §7.5. */
import { createHash } from 'node:crypto'
import { type Clock, systemClock } from '@geotrace/core-wasm'
import {
  bytesToHex,
  effortSpan,
  hashToRosterName,
  keyToShards,
  nextFirstEpoch,
  type Roster,
  type SignedSheet,
  type Signer,
  sheetContent,
  sheetEpochs,
  signContent,
  signPresence,
} from '@geotrace/core-wasm/wire'
import { afterAll, expect, it } from 'vitest'
import type { SheetSource } from '../../src/membership/agreement/steps.ts'
import { createMembership, type Membership } from '../../src/membership/membership.ts'
import { createHost } from '../../src/net/host.ts'
import { fileRecords } from '../../src/platform/file-records.ts'
import { silent } from '../../src/platform/log.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { cast, ONE_ADDRESS, Stage, until } from '../salt/federation.ts'

const PEERS = Number(process.env.FAULTS_PEERS ?? 50)
/** The goal for machines with one core a node. Here fifty nodes share the cores of one machine. */
const GOAL_P99_MS = 2_000
/** All peers share one event loop, which lags by seconds during the founding. The usual limits would end handshakes. */
const PATIENT_MS = 60_000
const LIMITS = {
  ...ONE_ADDRESS,
  ...{ connectMs: PATIENT_MS, dialMs: PATIENT_MS, upgradeMs: PATIENT_MS, readMs: PATIENT_MS, replyMs: PATIENT_MS },
}
const stage = new Stage()
afterAll(() => stage.end())

/** Sheets with roots that every peer can compute: without seeds and salts, with all signatures. */
function plainSheets(signer: Signer): SheetSource {
  const signed = new Map<number, SignedSheet[]>()
  const sign = (roster: Roster, shard: number): SignedSheet => {
    const { federation, previous, firstEpoch } = roster
    const root = new Uint8Array(createHash('sha256').update(`${firstEpoch} ${shard}`).digest())
    const content = sheetContent({ federation, previous, shard, firstEpoch, epochs: sheetEpochs(roster), root })
    return { shard, root, signature: signContent(signer, 'geotrace/sheet', content) }
  }
  return {
    async acquire(roster) {
      if (signed.has(roster.firstEpoch)) return
      signed.set(
        roster.firstEpoch,
        keyToShards(roster, signer.key).map((shard) => sign(roster, shard)),
      )
    },
    signed: (firstEpoch) => signed.get(firstEpoch) ?? [],
  }
}

/** Real time that a test can set forward, because the next roster is hours away. */
function movedClock(): Clock & { move(ms: number): void } {
  const base = systemClock()
  let aheadMs = 0
  return {
    now: () => base.now() + aheadMs,
    setTimer: (fn, delayMs) => base.setTimer(fn, delayMs),
    move: (ms) => void (aheadMs += ms),
  }
}

const timeOf = (peer: Membership, key: Uint8Array): number => peer.pool.presence(key)?.time ?? 0

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]!

it(`a presence and a new roster reach all of ${PEERS} peers`, async () => {
  const clock = movedClock()
  const players = await cast(PEERS - 1, clock.now(), { shards: 16, replicas: 3, reserveEpochs: 8 })
  const { manifest } = players
  const secrets = [...players.secrets, players.centralSecret]
  const operatorSecrets = [...players.operatorSecrets, players.centralOperatorSecret]
  const entries = [...manifest.members, manifest.central]
  const certifiedAt: Map<number, number>[] = []
  const peers: Membership[] = []
  for (const [i, secret] of secrets.entries()) {
    const signer = nativeSigner(secret)
    const records = await fileRecords(await stage.dir())
    const { addresses } = entries[i]!
    const host = await createHost({ secret, listen: addresses, clock, log: silent, limits: LIMITS })
    const membership = await createMembership({
      ...{ manifest, host, signer, records, clock, random: systemRandom, log: silent },
      ...{ operatorSecret: operatorSecrets[i]!, addresses: () => addresses },
      ...(i < PEERS - 1 && { sheets: plainSheets(signer) }),
    })
    const at = new Map<number, number>()
    membership.rosters.onAdd(({ roster }) => at.set(roster.height, performance.now()))
    certifiedAt.push(at)
    stage.atEnd(async () => {
      const isQuiet = membership.stop()
      await host.stop()
      await isQuiet
    })
    peers.push(membership)
  }
  const startedMs = performance.now()
  let usedBefore = process.cpuUsage()
  /** CPU of all peers together since it was asked last, ms. */
  const cpuMs = (): number => {
    const { user, system } = process.cpuUsage(usedBefore)
    usedBefore = process.cpuUsage()
    return Math.round((user + system) / 1_000)
  }
  await Promise.all(peers.map((peer) => peer.start()))
  const known = (height: number) => () => certifiedAt.every((at) => at.has(height))
  await until(known(0))
  process.stdout.write(`founded in ${Math.round(performance.now() - startedMs)} ms, ${cpuMs()} ms of CPU\n`)

  // One peer after the other announces its presence, and all others note when the announcement arrives.
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  const arrivedMs: number[] = []
  cpuMs()
  for (const [i, peer] of peers.entries()) {
    const key = nativeSigner(secrets[i]!).key
    const roster = hashToRosterName(peer.rosters.newest!.hash)
    const said = { height: 0, roster, release: new Uint8Array(8), addresses: [] }
    const saidAt = performance.now()
    const waiting = new Set(peers.filter((other) => other !== peer))
    const before = new Map(peers.map((other) => [other, timeOf(other, key)]))
    peer.say(signPresence(nativeSigner(secrets[i]!), { ...said, time: clock.now() }))
    await until(() => {
      for (const other of waiting) {
        if (timeOf(other, key) === before.get(other)) continue
        arrivedMs.push(performance.now() - saidAt)
        waiting.delete(other)
      }
      return waiting.size === 0
    })
  }

  const presencesCpuMs = cpuMs()
  const { roster } = peers[0]!.rosters.newest!
  clock.move(effortSpan(roster.periodEpochs, nextFirstEpoch(roster, clock.now())).from - clock.now())
  const dueMs = performance.now()
  await until(known(1))
  const rosterAt = certifiedAt.map((at) => at.get(1)!)
  const spreadMs = rosterAt.map((at) => at - Math.min(...rosterAt))
  const row = (name: string, values: readonly number[]) => {
    const [p50, p99] = [quantile(values, 0.5), quantile(values, 0.99)].map(Math.round)
    return `${name}: p50 ${p50} ms, p99 ${p99} ms, ${(p99! / GOAL_P99_MS).toFixed(2)} of the goal`
  }
  const lines = [
    `${row('presence', arrivedMs)}; ${Math.round(presencesCpuMs / PEERS)} ms of CPU each, of all ${PEERS} peers together`,
    row('roster after the first has it', spreadMs),
    `roster from due to everywhere: ${Math.round(Math.max(...rosterAt) - dueMs)} ms, ${Math.round(cpuMs() / PEERS)} ms of CPU a peer`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  expect(new Set(peers.map(({ rosters }) => bytesToHex(rosters.newest!.hash))).size).toBe(1)
  expect(arrivedMs).toHaveLength(PEERS * (PEERS - 1))
})
