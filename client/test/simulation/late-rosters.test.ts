import { loadCore } from '@geotrace/core-wasm'
import { sealRequest } from '@geotrace/core-wasm/seal'
import {
  answerToSalts,
  type CertifiedRoster,
  decodeSyncReply,
  EPOCH_MS,
  EPOCH_OPENS_BEFORE_MS,
  effortSpan,
  encodeSaltRequest,
  encodeSyncRequest,
  equalBytes,
  HOUR_MS,
  hashToRosterName,
  isFederationError,
  isVacant,
  isValidPin,
  LAG_CURRENT,
  MINUTE_MS,
  manifestToId,
  nextFirstEpoch,
  type PeerAddress,
  type Protocol,
  peerIdToKey,
  type RefusedReason,
  SALT_PROTOCOL,
  SEALED_PROTOCOL,
  secretToSigner,
  shardToReplicas,
  signVote,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { createMachine, type SimulatedFederation, simulatedFederation } from '@geotrace/node/testing'
import { beforeAll, describe, expect, it, vi } from 'vitest'

vi.mock('@noble/curves/ed25519.js', () => import('./native-ed25519.ts'))
vi.mock('../../../node/src/platform/native-signer.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/wire/encoding/host-verify.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/voprf/group.ts', () => import('../../../core-wasm/test/voprf/toy-group.ts'))

const PERIOD = 3
/** A period begins with this epoch. */
const EPOCH = Math.floor(Date.parse('2026-11-20T00:00:00Z') / EPOCH_MS / PERIOD) * PERIOD
/** Ten minutes before votes for that period end, so that operators agree as soon as the federation is founded. */
const START_MS = effortSpan(PERIOD, EPOCH).to - 10 * MINUTE_MS
const STEP_MS = 1000
/** Large steps, because the histories last for hours. */
const PACE = { linkMs: 10_000, probeMs: 60_000, presenceMs: 120_000 }
/** A majority of the replicas of this shard stays up while the late roster is agreed on. */
const SHARD = 1
/** Only one replica of this shard stays up. */
const VACANT = 0
const core = await loadCore()

/**
 * A phone that asks for salts and deposits rows under the roster that it is given, whatever is in force. It passes its sealed
 * frames on itself, with the key of a member, because members are away in these tests.
 */
class Phone {
  readonly #f: SimulatedFederation
  readonly #session: ReturnType<ReturnType<SimulatedFederation['network']['dialer']>['open']>
  #drawn = 0

  constructor(f: SimulatedFederation, name = 'phone') {
    this.#f = f
    const life = createMachine(f.scheduler, name).boot()
    this.#session = f.network.dialer(life, '/ip4/127.9.9.9/tcp/1', f.saltNodes[0]!.key).open()
  }

  async #request(peer: PeerAddress, protocol: Protocol, frame: Uint8Array): Promise<Uint8Array> {
    const { scheduler } = this.#f
    let answer: Uint8Array | undefined
    let error: unknown
    const asking = (await this.#session).request(peer, protocol, frame).then(
      (bytes) => void (answer = bytes),
      (cause) => void (error = cause),
    )
    await scheduler.runUntil(() => answer !== undefined || error !== undefined, scheduler.nowMs + MINUTE_MS)
    await asking
    if (answer === undefined) throw error
    return answer
  }

  /** For each replica of a shard: `salts` when it gives the salt of the whole epoch, or the code of its refusal. */
  async salts({ roster, hash }: CertifiedRoster, epoch: number, shard = SHARD): Promise<string[]> {
    const blocks = [{ size: 80, n: epoch }]
    const frame = encodeSaltRequest({ roster: hashToRosterName(hash), shard, blocks })
    const outcomes: string[] = []
    for (const replica of shardToReplicas(roster, shard)) {
      try {
        const answer = await this.#request(replica, SALT_PROTOCOL, frame)
        answerToSalts(answer, { roster, hash } as CertifiedRoster, shard, blocks, replica.key)
        outcomes.push('salts')
      } catch (error) {
        outcomes.push(isFederationError(error) ? error.code : String(error))
      }
    }
    return outcomes
  }

  async deposit({ hash }: CertifiedRoster, epoch: number): Promise<Outcome> {
    const { manifest, random, scheduler, saltNodes } = this.#f
    const draw = random.fork(`phone ${this.#drawn++}`)
    const rows = [{ hash: draw.bytes(12), size: 5, lags: LAG_CURRENT }]
    const minute = Math.floor(scheduler.nowMs / MINUTE_MS)
    const head = { minute, userSecret: draw.bytes(32), syncId: draw.bytes(16), generation: 0, cursor: 0 }
    const groups = [{ epoch, roster: hashToRosterName(hash), rows }]
    const frame = encodeSyncRequest({ ...head, report: { kind: 'none' }, groups }, manifest.parameters.syncRequestBytes)
    const central = { key: peerIdToKey(manifest.central.peerId), addresses: manifest.central.addresses }
    try {
      // A device seals to the key of the newest roster, whatever its rows name.
      const newest = saltNodes.map((node) => rostersOf(node)?.newest).find((item) => item !== undefined)!
      const sealed = sealRequest(newest.roster.central.seal, newest.roster.federation, frame, draw.bytes)
      const answer = await this.#request(central, SEALED_PROTOCOL, sealed.frame)
      const { refused, pins } = decodeSyncReply(sealed.openReply(answer))
      for (const pin of pins) expect(isValidPin(pin, manifestToId(manifest), central.key)).toBe(true)
      return { outcome: refused[0]?.reason ?? 'taken', pinned: pins[0]?.roster }
    } catch (error) {
      return { outcome: isFederationError(error) ? error.code : String(error), pinned: undefined }
    }
  }
}

interface Outcome {
  outcome: RefusedReason | 'taken' | string
  /** The roster of the pin that came with a refusal. */
  pinned: Uint8Array | undefined
}

const rostersOf = (peer: SimulatedFederation['central'] | SimulatedFederation['saltNodes'][number]) =>
  peer.running?.membership()?.rosters

/** Five salt nodes and the central peer on the founding roster, which is the reserve of the period that is agreed on. */
async function founded(seed: string) {
  const parameters = { shards: 2, periodEpochs: PERIOD, reserveEpochs: 18 }
  const f = simulatedFederation({ seed, nodes: 5, startMs: START_MS, core, pace: PACE, parameters })
  const peers = [...f.saltNodes, f.central]
  for (const peer of peers) peer.start()
  const isFounded = () => peers.every((peer) => rostersOf(peer)?.newest !== undefined)
  // In steps, because a start takes turns of the event loop, during which no event may be due.
  while (!isFounded() && f.scheduler.nowMs < START_MS + HOUR_MS) await f.scheduler.run(f.scheduler.nowMs + STEP_MS)
  const reserve = rostersOf(f.central)!.newest!
  expect(nextFirstEpoch(reserve.roster, f.scheduler.nowMs)).toBe(EPOCH)
  return { f, reserve, period: EPOCH }
}

const runTo = (f: SimulatedFederation, ms: number) => f.scheduler.run(Math.max(f.scheduler.nowMs, ms))

describe('a vote that completes a certificate after its period opened', () => {
  let f: SimulatedFederation
  let phone: Phone
  let reserve: CertifiedRoster
  let late: CertifiedRoster
  let period: number

  beforeAll(async () => {
    const scene = await founded('late')
    ;({ f, reserve, period } = scene)
    // One operator is away. Another one keeps its vote until the central peer has pinned the reserve.
    f.saltNodes[0]!.kill()
    f.saltNodes[1]!.kill()
    await runTo(f, period * EPOCH_MS - EPOCH_OPENS_BEFORE_MS + MINUTE_MS / 2)
    const seen = f.saltNodes[2]!.running!.membership()!
    const height = reserve.roster.height + 1
    const votes = seen.pool.votes(height).filter(({ firstEpoch }) => firstEpoch === period)
    expect([rostersOf(f.central)!.newest!.hash, votes.length]).toEqual([reserve.hash, 4])
    phone = new Phone(f)
    expect(await phone.deposit(reserve, period)).toMatchObject({ outcome: 'taken' })
    const { hash } = votes[0]!
    const keys = f.random.fork('keys/node-1')
    keys.bytes(32)
    const liar = secretToSigner(keys.bytes(32))
    const operator = reserve.roster.operators.findIndex(({ key }) => equalBytes(key, liar.key))
    const { federation } = reserve.roster
    const given = signVote(liar, operator, { federation, height, firstEpoch: period, hash })
    seen.say({ kind: 'vote', height, firstEpoch: period, hash, ...given })
    await runTo(f, f.scheduler.nowMs + MINUTE_MS)
    late = rostersOf(f.central)!.newest!
    expect(late.roster.firstEpoch).toBe(period)
  })

  it('the nodes give the salts of the pinned roster for the pinned epoch, and no other salts of it', async () => {
    const given = await phone.salts(reserve, period)
    expect(given.filter((outcome) => outcome === 'salts').length).toBeGreaterThanOrEqual(1)
    expect(given.every((outcome) => ['salts', 'PEER_UNREACHABLE', 'PEER_TIMEOUT'].includes(outcome))).toBe(true)
    expect(await phone.salts(late, period)).not.toContain('salts')
  })

  it('a device that went by the late roster is refused with the pin, and its deposit under the pinned one is taken', async () => {
    expect(await phone.deposit(late, period)).toEqual({ outcome: 'roster', pinned: reserve.hash })
    expect(await phone.deposit(reserve, period)).toMatchObject({ outcome: 'taken' })
  })

  it('the nodes give both rosters for an epoch without a pin, and the first deposit decides', async () => {
    const next = period + 1
    await runTo(f, period * EPOCH_MS)
    for (const roster of [reserve, late]) expect(await phone.salts(roster, next)).toContain('salts')
    // One replica of three makes no seed in the second half of the effort, so the other shard is vacant.
    expect([SHARD, VACANT].map((shard) => isVacant(late.roster, shard))).toEqual([false, true])
    expect((await phone.salts(late, next, VACANT)).filter((outcome) => outcome !== 'PEER_UNREACHABLE')).toEqual([
      'EPOCH_LOST',
    ])
    expect(await phone.salts(reserve, next, VACANT)).toContain('salts')
    // The central peer takes its own roster in force only.
    expect(await phone.deposit(reserve, next)).toEqual({ outcome: 'roster', pinned: undefined })
    expect(await phone.deposit(late, next)).toMatchObject({ outcome: 'taken' })
    await runTo(f, f.scheduler.nowMs + 5_000)
    expect(await phone.salts(late, next)).toContain('salts')
    expect(await phone.salts(reserve, next)).not.toContain('salts')
    expect(await phone.deposit(reserve, next)).toEqual({ outcome: 'roster', pinned: late.hash })
  })

  it('the same holds hours later, and nodes that come back learn the pins and the secrets', async () => {
    f.saltNodes[0]!.start()
    f.saltNodes[1]!.start()
    await runTo(f, period * EPOCH_MS + 40 * MINUTE_MS)
    expect(new Set(await phone.salts(reserve, period))).toEqual(new Set(['salts']))
    expect(await phone.salts(late, period)).not.toContain('salts')
    expect(await phone.deposit(late, period)).toEqual({ outcome: 'roster', pinned: reserve.hash })
    expect(await phone.deposit(reserve, period)).toMatchObject({ outcome: 'taken' })
    expect(f.complaints).toEqual([])
  })
})

describe('a central peer that was away while operators agreed on a roster', () => {
  it('a herd that comes first after its start is served under the newest roster, and nothing is refused for good', async () => {
    const { f, reserve, period } = await founded('pin')
    f.central.kill()
    await runTo(f, period * EPOCH_MS - HOUR_MS)
    const newest = rostersOf(f.saltNodes[0]!)!.startingAt(period)!
    expect(newest.roster.height).toBe(reserve.roster.height + 1)
    f.central.start()
    const phones = Array.from({ length: 120 }, (_, i) => new Phone(f, `phone-${i}`))
    const herd = await Promise.all(phones.map((phone) => phone.deposit(newest, period)))
    // The central peer is not reachable yet, or asks devices to come again.
    expect(new Set(herd.map(({ outcome }) => outcome))).not.toContain('roster')
    await runTo(f, f.scheduler.nowMs + MINUTE_MS)
    const phone = new Phone(f)
    expect(await phone.deposit(newest, period)).toMatchObject({ outcome: 'taken' })
    expect(await phone.deposit(reserve, period)).toEqual({ outcome: 'roster', pinned: newest.hash })
    await runTo(f, f.scheduler.nowMs + 5_000)
    expect(await phone.salts(newest, period)).toContain('salts')
    // The same after another restart at the end of the period.
    await runTo(f, (period + 2) * EPOCH_MS)
    f.central.kill()
    f.central.start()
    await runTo(f, f.scheduler.nowMs + MINUTE_MS)
    expect(await phone.deposit(newest, period)).toMatchObject({ outcome: 'taken' })
    expect(f.complaints).toEqual([])
  })

  it('a central peer whom no other peer answers takes groups of pinned epochs, and pins none until peers answer', async () => {
    const { f, reserve, period } = await founded('alone')
    const phone = new Phone(f)
    const now = timeToEpoch(START_MS)
    await runTo(f, f.scheduler.nowMs + 5_000)
    expect(await phone.deposit(reserve, now)).toMatchObject({ outcome: 'taken' })
    const cut = (from: string, to: string): boolean =>
      (from === 'central' && to.startsWith('node')) || (to === 'central' && from.startsWith('node'))
    f.network.cuts.add(cut)
    f.central.kill()
    f.central.start()
    await runTo(f, f.scheduler.nowMs + MINUTE_MS)
    expect(await phone.deposit(reserve, now)).toMatchObject({ outcome: 'BUSY' })
    await runTo(f, f.scheduler.nowMs + 3 * MINUTE_MS)
    expect(f.central.running!.status().standing).toBe('apart')
    expect(await phone.deposit(reserve, now)).toMatchObject({ outcome: 'taken' })
    // Meanwhile the others agree on a roster that the central peer does not know.
    await runTo(f, period * EPOCH_MS)
    const newest = rostersOf(f.saltNodes[0]!)!.startingAt(period)!
    expect(await phone.deposit(newest, period)).toEqual({ outcome: 'roster', pinned: undefined })
    expect(await phone.deposit(reserve, period)).toEqual({ outcome: 'roster', pinned: undefined })
    f.network.cuts.delete(cut)
    await runTo(f, f.scheduler.nowMs + 2 * MINUTE_MS)
    expect(f.central.running!.status().standing).toBe('current')
    expect(await phone.deposit(newest, period)).toMatchObject({ outcome: 'taken' })
  })

  it('a central peer on a restored store takes its pins back from the nodes before it serves', async () => {
    const { f, reserve } = await founded('restored')
    const phone = new Phone(f)
    const now = timeToEpoch(START_MS)
    await runTo(f, f.scheduler.nowMs + 5_000)
    expect(await phone.deposit(reserve, now)).toMatchObject({ outcome: 'taken' })
    await runTo(f, f.scheduler.nowMs + 5_000)
    f.central.kill()
    f.deposits.pins.clear()
    f.central.start()
    await runTo(f, f.scheduler.nowMs + MINUTE_MS)
    expect([...f.deposits.pins.values()]).toMatchObject([{ epoch: now, roster: reserve.hash }])
    expect(f.saltNodes.flatMap(({ running }) => running!.membership()!.pool.evidence())).toEqual([])
  })
})
