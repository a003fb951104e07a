/**
 * The service of evaluations with real shares of real replicas. noble, which shares no code with libsodium, is the oracle.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Random } from '@geotrace/core-wasm'
import {
  blindInput,
  cellToInput,
  evaluationVerifier,
  finalize,
  loadGroup,
  type Group as Ristretto,
  randomElement,
  randomScalar,
  respondersToWeights,
} from '@geotrace/core-wasm/voprf'
import {
  bodyToCertified,
  type CertifiedRoster,
  DAY_MS,
  decodeEvaluateAnswer,
  decodeEvaluateRequest,
  EPOCH_MS,
  type EvaluateRequest,
  encodeEvaluateRequest,
  encodeRoster,
  evaluationToLie,
  hashToRosterName,
  isFederationError,
  isSignedEvaluation,
  MINUTE_MS,
  partCount,
  requestToShape,
  SALT_WINDOW_MS,
  sheetEpochs,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { afterEach, describe, expect, it } from 'vitest'
import type { ClockWatch } from '../../src/membership/clock-watch.ts'
import type { RosterStore } from '../../src/membership/roster-store.ts'
import { addressToRequester } from '../../src/net/guard/requester.ts'
import type { Requester } from '../../src/net/protocol.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { evaluateService } from '../../src/salt/evaluate-service.ts'
import { evaluationCounts } from '../../src/salt/evaluation-counts.ts'
import type { Holdings } from '../../src/salt/holdings.ts'
import { deviceBuckets } from '../../src/salt/quota/device-buckets.ts'
import { evaluationQuota } from '../../src/salt/quota/quota.ts'
import { levelQuotaDisk, type QuotaDisk } from '../../src/salt/quota/quota-disk.ts'
import { openQuotaTable } from '../../src/salt/quota/quota-table.ts'
import { tokenCheck } from '../../src/tokens/token-check.ts'
import { errorCode } from '../error-code.ts'
import { TOKENS, tokenFor } from '../issuer.ts'
import { Stage } from './federation.ts'
import { Group, type TestReplica } from './seeds/replica.ts'

const group = await loadGroup()
const verifier = evaluationVerifier(group)
const { Point } = ristretto255
const { Fn } = Point
const { voprf } = ristretto255_oprf
const HERE: Requester = { key: undefined, ...addressToRequester('/ip4/203.0.113.7/tcp/1') }
const CLASSES = [2, 12, 36]
const FEDERATION = new Uint8Array(32).fill(5)
/** An edwards25519 point of order 8 (RFC 9496 names no element that it encodes). */
const SMALL_ORDER = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'
const stage = new Stage()
afterEach(() => stage.end())

interface Setting {
  replicas?: number
  threshold?: number
  devices?: number
  ceiling?: number
  random?: Random
  /** In place of libsodium's group, to watch it. */
  around?: (group: Ristretto) => Ristretto
  disk?: (disk: QuotaDisk) => QuotaDisk
  allows?: (ip: Uint8Array) => boolean
}

/** The replicas of one certified shard, each with a service of evaluations. */
async function services(setting: Setting = {}) {
  const { replicas = 5, threshold = 3, devices = 16, ceiling = 1_000_000 } = setting
  const { around = (it) => it, disk = (it) => it, allows = () => true, random = systemRandom } = setting
  const shard = new Group({ replicas, threshold, group, roster: { evaluationsPerShardEpoch: ceiling } })
  // A sheet that nobody disputes is signed in the round after the seeds were made.
  for (let i = 0; shard.replicas.some((replica) => replica.root() === undefined); i++) {
    if (i === 5) throw new Error('the replicas did not agree')
    await shard.round()
  }
  await shard.certify(shard.replicas[0]!.root()!)
  const { roster } = shard
  const certified: CertifiedRoster = bodyToCertified(encodeRoster(shard.certified!.roster), [], [])
  const pins = new Map<number, Uint8Array[]>()
  const watch = { skewed: false }
  const dirs = await Promise.all(shard.replicas.map(() => stage.dir()))
  const open = async ({ rank, signer, keeper, shards, clock }: TestReplica) => {
    const plan = evaluationQuota(devices)
    const quota = await openQuotaTable(disk(await levelQuotaDisk(`${dirs[rank]}/quota`)), plan, clock.now())
    const counts = evaluationCounts()
    const buckets = deviceBuckets(() => levelQuotaDisk(`${dirs[rank]}/tokens`))
    const answer = evaluateService({
      ...{ group: around(group), classes: CLASSES, clock, signer, random, keeper, quota, counts, allows },
      devices: buckets,
      checkToken: tokenCheck({
        kind: 'evaluation',
        federation: FEDERATION,
        node: signer.key,
        parameters: () => [TOKENS],
      }),
      holdings: {
        find: (firstEpoch: number, number: number) =>
          firstEpoch === roster.firstEpoch && number === 0 ? { shards, shard: shards.all[0] } : undefined,
      } as unknown as Holdings,
      rosters: {
        named: (name: Uint8Array) =>
          Buffer.compare(name, hashToRosterName(certified.hash)) === 0 ? certified : undefined,
        pinnable: (epoch: number) =>
          epoch >= roster.firstEpoch && epoch < roster.firstEpoch + sheetEpochs(roster) ? [certified] : [],
      } as unknown as RosterStore,
      watch: {
        assertTrue() {
          if (watch.skewed) throw new Error('skewed')
        },
      } as ClockWatch,
      pinned: (epoch) => pins.get(epoch) ?? [],
    })
    const close = () => Promise.all([quota.close(), buckets.close()])
    return { answer, quota, counts, close }
  }
  const nodes = await Promise.all(shard.replicas.map(open))
  const request = (more: Partial<EvaluateRequest> = {}): EvaluateRequest => ({
    roster: hashToRosterName(certified.hash),
    shard: 0,
    wantsKeys: true,
    epochs: [roster.firstEpoch],
    elements: [[randomElement(group, systemRandom), randomElement(group, systemRandom)]],
    ...more,
  })
  const ask = (rank: number, more: Partial<EvaluateRequest> = {}, from = HERE): Promise<Uint8Array> =>
    nodes[rank]!.answer(encodeEvaluateRequest(request(more)), from)
  return { shard, roster, certified, pins, watch, nodes, open, request, ask, code: errorCode }
}
type Services = Awaited<ReturnType<typeof services>>

/** The checked answer of one replica. */
async function checked(s: Services, rank: number, asked: EvaluateRequest) {
  const frame = encodeEvaluateRequest(asked)
  const bytes = await s.nodes[rank]!.answer(frame, HERE)
  const { replicas, threshold, firstEpoch } = s.roster
  const answer = decodeEvaluateAnswer(bytes, requestToShape(asked, partCount(replicas, threshold)))
  expect(isSignedEvaluation(s.shard.replicas[rank]!.key, frame, answer)).toBe(true)
  const sheet = { root: s.certified.roster.sheets[0]!, firstEpoch, epochs: sheetEpochs(s.roster) }
  for (const i of asked.epochs.keys()) {
    expect(evaluationToLie(asked, answer, i, sheet, { replicas, threshold, rank }, [], verifier)).toBeUndefined()
  }
  return answer
}

/** The group key of an epoch by noble, from the seeds of all parts. No machine of a federation can do this when t > 1. */
function groupKey({ shard, roster }: Services, epoch: number): Uint8Array {
  const { parts } = shard.replicas[0]!.shard
  const scalars = parts.map(({ part, members }) => {
    const place = { shard: 0, firstEpoch: roster.firstEpoch, part }
    const grip = shard.replicas[members[0]!]!.keeper.grip([place], [epoch], shard.clock.now())
    const wide = createHash('sha512').update('geotrace/scalar').update(grip.leaf(0, epoch)).digest()
    grip.end()
    return Fn.create(BigInt(`0x${Buffer.from(wide).reverse().toString('hex')}`))
  })
  return Fn.toBytes(scalars.reduce((sum, scalar) => Fn.add(sum, scalar)))
}

describe('the service of evaluations', () => {
  it.each([
    [1, 1],
    [3, 1],
    [3, 2],
    [5, 3],
  ])('with %i replicas any %i of them give the keys of noble under the group key', async (replicas, threshold) => {
    const s = await services({ replicas, threshold })
    const epochs = [s.roster.firstEpoch, s.roster.firstEpoch + 1]
    const cells = [0x8c1f1a4a3b5a1ffn, 0x8c1f1a4a3b5a3ffn]
    const blinds = epochs.map(() => cells.map(() => randomScalar(group, systemRandom)))
    const elements = blinds.map((own) => cells.map((cell, i) => blindInput(group, cellToInput(cell), own[i]!)))
    const asked = s.request({ epochs, elements })
    const answers = await Promise.all(s.nodes.map((_, rank) => checked(s, rank, asked)))
    for (const responders of [
      Array.from({ length: threshold }, (_, i) => i),
      Array.from({ length: threshold }, (_, i) => replicas - 1 - i),
    ]) {
      const { factors, inverse } = respondersToWeights(responders)
      for (const [e, epoch] of epochs.entries()) {
        const secret = groupKey(s, epoch)
        const publicKey = Point.BASE.multiply(Fn.fromBytes(secret)).toBytes()
        for (const [i, cell] of cells.entries()) {
          const unblind = group.scalarInvert([blinds[e]![i]!])[0]!
          const scale = group.scalarMultiply(inverse, unblind)
          const evaluated = responders.map((rank) => answers[rank]!.epochs[e]!.evaluated[i]!)
          const input = cellToInput(cell)
          const { blind, blinded } = voprf.blind(input)
          const own = voprf.blindEvaluate(secret, publicKey, blinded)
          const expected = voprf.finalize(input, blind, own.evaluated, blinded, publicKey, own.proof).slice(0, 32)
          expect(finalize(group, input, factors, scale, evaluated)).toEqual(expected)
        }
      }
    }
  })

  it('noble accepts the proof of a replica under its share key, for a whole batch', async () => {
    const s = await services()
    const inputs = Array.from({ length: 12 }, (_, i) => cellToInput(BigInt(i)))
    const blinds = inputs.map((input) => voprf.blind(input))
    const asked = s.request({ elements: [blinds.map(({ blinded }) => blinded)] })
    const { evaluated, proof, partKeys } = (await checked(s, 4, asked)).epochs[0]!
    const shareKey = verifier.toShareKey({ replicas: 5, threshold: 3, rank: 4 }, partKeys!.keys)!
    const items = inputs.map((input, i) => ({
      ...{ input, blind: blinds[i]!.blind, blinded: blinds[i]!.blinded, evaluated: evaluated[i]! },
    }))
    expect(() => voprf.finalizeBatch(items, shareKey, proof)).not.toThrow()
    const other = verifier.toShareKey({ replicas: 5, threshold: 3, rank: 3 }, partKeys!.keys)!
    expect(() => voprf.finalizeBatch(items, other, proof)).toThrow()
  })

  it('an answer without part keys is the same but for the keys, and the time is that of the request', async () => {
    const s = await services({ replicas: 3, threshold: 2 })
    const asked = s.request()
    const frame = encodeEvaluateRequest({ ...asked, wantsKeys: false })
    const answer = decodeEvaluateAnswer(await s.nodes[0]!.answer(frame, HERE), { epochs: 1, batch: 2, keys: 0 })
    const full = await checked(s, 0, asked)
    expect(answer.epochs[0]!.partKeys).toBeUndefined()
    expect(answer.epochs[0]!.evaluated).toEqual(full.epochs[0]!.evaluated)
    expect(answer.time).toBe(s.shard.clock.now())
  })
})

describe('bad requests for evaluations', () => {
  /** Encodings that are no element, or the identity. The last is the base of edwards25519, a point that is no ristretto element. */
  const BAD: [string, Uint8Array][] = [
    ['the identity', new Uint8Array(32)],
    ['a field element above the modulus', new Uint8Array(32).fill(0xff)],
    ['a negative field element', Uint8Array.from([1, ...new Uint8Array(31)])],
    ['the modulus', Uint8Array.from([0xed, ...new Uint8Array(30).fill(0xff), 0x7f])],
    ['a point of order 2', Uint8Array.from([0xec, ...new Uint8Array(30).fill(0xff), 0x7f])],
    ['a point of order 8', Buffer.from(SMALL_ORDER, 'hex')],
    ['an element with its sign bit set', Point.BASE.toBytes().map((byte, i) => (i === 31 ? byte | 0x80 : byte))],
    ['the square root of no number', Uint8Array.from([2, ...new Uint8Array(31)])],
  ]

  it.each(BAD)('%s in place of an element is refused with its offset, before anything else', async (_, bad) => {
    const s = await services({ replicas: 1, threshold: 1 })
    s.watch.skewed = true
    const good = randomElement(group, systemRandom)
    for (const place of [0, 1, 3]) {
      const flat = Array.from({ length: 4 }, (_, i) => (i === place ? bad : good))
      const epochs = [s.roster.firstEpoch, s.roster.firstEpoch + 1]
      const task = s.ask(0, { epochs, elements: [flat.slice(0, 2), flat.slice(2)] })
      const error = await task.catch((thrown: unknown) => thrown)
      expect(isFederationError(error, 'MESSAGE_MALFORMED') && error.data.at).toBe(15 + 2 * 4 + place * 32)
    }
    expect(s.nodes[0]!.quota.size).toBe(0)
  })

  it('each kind of error has its own code, in the order of the checks, and costs neither quota nor a multiplication', async () => {
    let products = 0
    const around = (it: Ristretto): Ristretto => ({
      ...it,
      multiply: (a, b) => {
        products++
        return it.multiply(a, b)
      },
    })
    let isAllowed = false
    const s = await services({ replicas: 3, threshold: 2, around, allows: () => isAllowed })
    const { firstEpoch } = s.roster
    const element = randomElement(group, systemRandom)
    const frame = encodeEvaluateRequest(s.request())
    const changed = (at: number, value: number) => frame.map((byte, i) => (i === at ? value : byte))
    const relayed: Requester = { key: undefined, prefix: undefined, fence: undefined, subnet: undefined, ip: undefined }
    const answer = (bytes: Uint8Array, from = HERE) => s.code(s.nodes[0]!.answer(bytes, from))
    expect(await answer(changed(0, 2))).toBe('VERSION_UNKNOWN')
    expect(await answer(changed(1, 0))).toBe('SUITE_UNKNOWN')
    expect(await answer(changed(12, 2))).toBe('MESSAGE_MALFORMED')
    expect(await answer(changed(13, 0))).toBe('BATCH_REFUSED')
    expect(await answer(changed(13, 37))).toBe('BATCH_REFUSED')
    expect(await answer(changed(14, 0))).toBe('MESSAGE_MALFORMED')
    expect(await answer(changed(14, 6))).toBe('MESSAGE_MALFORMED')
    expect(await answer(frame.slice(0, -1))).toBe('MESSAGE_MALFORMED')
    expect(await answer(Uint8Array.from([...frame, 0]))).toBe('MESSAGE_MALFORMED')
    expect(await answer(new Uint8Array(0))).toBe('MESSAGE_MALFORMED')
    const twice = encodeEvaluateRequest(
      s.request({ epochs: [firstEpoch, firstEpoch + 1], elements: Array(2).fill([element, element]) }),
    )
    twice.copyWithin(19, 15, 19)
    expect(await answer(twice)).toBe('MESSAGE_MALFORMED')
    expect(await s.code(s.ask(0, { elements: [[element, element, element]] }))).toBe('BATCH_REFUSED')
    s.watch.skewed = true
    expect(await s.code(s.ask(0, {}, relayed))).toBe('Error: skewed')
    s.watch.skewed = false
    expect(await s.code(s.ask(0, {}, relayed))).toBe('FORBIDDEN')
    expect(await s.code(s.ask(0, { roster: systemRandom(8) }))).toBe('NOT_ALLOWED')
    isAllowed = true
    expect(await s.code(s.ask(0, { roster: systemRandom(8), shard: 1 }))).toBe('ROSTER_UNKNOWN')
    expect(await s.code(s.ask(0, { shard: 1, epochs: [firstEpoch - 9] }))).toBe('WRONG_SHARD')
    expect(await s.code(s.ask(0, { epochs: [firstEpoch - 9] }))).toBe('BLOCK_TOO_OLD')
    expect(await s.code(s.ask(0, { epochs: [firstEpoch + 9] }))).toBe('BLOCK_TOO_NEW')
    s.pins.set(firstEpoch, [systemRandom(32)])
    expect(await s.code(s.ask(0))).toBe('ROSTER_UNKNOWN')
    s.pins.clear()
    expect(await s.code(s.ask(0, { epochs: [firstEpoch + 2] }))).toBe('ROSTER_UNKNOWN')
    const { keeper } = s.shard.replicas[0]!
    keeper.drop({ shard: 0, firstEpoch, part: 1 })
    expect(await s.code(s.ask(0))).toBe('EPOCH_LOST')
    expect([products, s.nodes[0]!.quota.size]).toEqual([0, 0])
    expect(s.nodes[0]!.counts.list(s.shard.clock.now())).toEqual([])
    expect(await s.code(s.ask(1))).toBe('OK')
  })

  it('the service answers EPOCH_LOST while its sheet is another than the certified one, because the answer would be false', async () => {
    const s = await services({ replicas: 1, threshold: 1 })
    const { sheets } = s.certified.roster
    const right = sheets[0]!
    sheets[0] = systemRandom(32)
    expect(await s.code(s.ask(0))).toBe('EPOCH_LOST')
    sheets[0] = right
    expect(await s.code(s.ask(0))).toBe('OK')
  })

  it('an epoch opens and closes to the millisecond', async () => {
    const s = await services({ replicas: 1, threshold: 1 })
    const { clock } = s.shard
    const epoch = s.roster.firstEpoch + 1
    const [opens, closes] = [(epoch - 1) * EPOCH_MS - 2 * MINUTE_MS, (epoch + 1) * EPOCH_MS + SALT_WINDOW_MS]
    expect(opens).toBeLessThan(clock.now())
    await clock.advanceTo(closes - 1)
    expect(await s.code(s.ask(0, { epochs: [epoch] }))).toBe('OK')
    await clock.advanceTo(closes)
    expect(await s.code(s.ask(0, { epochs: [epoch] }))).toBe('BLOCK_TOO_OLD')
  })
})

describe('the quota of the service of evaluations', () => {
  const batch = (size: number): Uint8Array[] => Array.from({ length: size }, () => randomElement(group, systemRandom))

  it('one device gets 432 evaluations with their padding, then QUOTA_SPENT, and another address its own', async () => {
    const s = await services({ replicas: 1, threshold: 1, devices: 1 })
    const elements = [batch(36)]
    for (let i = 0; i < 12; i++) expect(await s.code(s.ask(0, { elements }))).toBe('OK')
    const refused = await s.ask(0).catch((error: unknown) => error)
    expect(isFederationError(refused, 'QUOTA_SPENT') && refused.data.retryAfterMs).toBe(2 * 90_000)
    const other = { key: undefined, ...addressToRequester('/ip4/203.0.113.8/tcp/1') }
    expect(await s.code(s.ask(0, { elements }, other))).toBe('OK')
    await s.shard.clock.advanceTo(s.shard.clock.now() + 2 * 90_000)
    expect(await s.code(s.ask(0))).toBe('OK')
  })

  it('the ceiling of a shard and epoch holds for all addresses together, also after a restart', async () => {
    const s = await services({ replicas: 1, threshold: 1, ceiling: 1_000 })
    const [epoch, next] = [s.roster.firstEpoch, s.roster.firstEpoch + 1]
    const elements = [batch(36)]
    const from = (i: number): Requester => ({ key: undefined, ...addressToRequester(`/ip4/198.51.100.${i}/tcp/1`) })
    const asks = await Promise.all(Array.from({ length: 30 }, (_, i) => s.code(s.ask(0, { elements }, from(i)))))
    expect(asks.filter((code) => code === 'OK').length).toBe(27)
    expect(asks.filter((code) => code === 'QUOTA_SPENT').length).toBe(3)
    // A batch for two epochs is made for both or for none.
    const both = { epochs: [epoch, next], elements: [batch(36), batch(36)] }
    expect(await s.code(s.ask(0, both))).toBe('QUOTA_SPENT')
    expect(s.nodes[0]!.counts.list(s.shard.clock.now())).toEqual([{ shard: 0, epoch, atMost: 1_000 }])
    await s.nodes[0]!.quota.close()
    s.nodes[0] = await s.open(s.shard.replicas[0]!)
    expect(await s.code(s.ask(0, { elements }))).toBe('QUOTA_SPENT')
    expect(await s.code(s.ask(0, { epochs: [next], elements }))).toBe('OK')
    const refused = await s.ask(0, { elements }).catch((error: unknown) => error)
    const nowMs = s.shard.clock.now()
    const untilNextMs = (timeToEpoch(nowMs) + 1) * EPOCH_MS - nowMs
    expect(isFederationError(refused, 'QUOTA_SPENT') && refused.data.retryAfterMs).toBe(untilNextMs)
  })

  it('a token opens the bucket of one device: it leaves that of the address alone, and is spent once, also after a restart', async () => {
    const s = await services({ replicas: 1, threshold: 1, devices: 1 })
    const nowMs = s.shard.clock.now()
    const { key } = s.shard.replicas[0]!
    const elements = [batch(36)]
    const [one, two] = [0, 1].map(() => tokenFor(FEDERATION, key, Math.floor(nowMs / DAY_MS)))
    for (let i = 0; i < 12; i++) expect(await s.code(s.ask(0, { elements, token: one }))).toBe('OK')
    expect(await s.code(s.ask(0, { elements, token: one }))).toBe('QUOTA_SPENT')
    // The address has spent nothing so far, and has nothing left after twelve requests of its own.
    for (let i = 0; i < 12; i++) expect(await s.code(s.ask(0, { elements }))).toBe('OK')
    expect(await s.code(s.ask(0, { elements }))).toBe('QUOTA_SPENT')
    expect(await s.code(s.ask(0, { elements, token: two }))).toBe('OK')
    await s.nodes[0]!.close()
    s.nodes[0] = await s.open(s.shard.replicas[0]!)
    expect(await s.code(s.ask(0, { elements, token: one }))).toBe('QUOTA_SPENT')
    expect(await s.code(s.ask(0, { elements, token: two }))).toBe('OK')
  })

  it('a token that is refused costs neither quota nor a multiplication', async () => {
    let products = 0
    const around = (it: Ristretto): Ristretto => ({
      ...it,
      multiply: (a, b) => {
        products++
        return it.multiply(a, b)
      },
    })
    const s = await services({ replicas: 1, threshold: 1, devices: 1, around })
    const day = Math.floor(s.shard.clock.now() / DAY_MS)
    const elements = [batch(36)]
    for (const token of [tokenFor(FEDERATION, systemRandom(32), day), systemRandom(354)])
      expect(await s.code(s.ask(0, { elements, token }))).toBe('TOKEN_REFUSED')
    expect([products, s.nodes[0]!.quota.size]).toEqual([0, 0])
  })

  it('the ceiling of a shard and epoch holds for devices with tokens too', async () => {
    const s = await services({ replicas: 1, threshold: 1, ceiling: 1_000 })
    const { key } = s.shard.replicas[0]!
    const day = Math.floor(s.shard.clock.now() / DAY_MS)
    const elements = [batch(36)]
    const asks = Array.from({ length: 30 }, () => s.code(s.ask(0, { elements, token: tokenFor(FEDERATION, key, day) })))
    expect((await Promise.all(asks)).filter((code) => code === 'OK')).toHaveLength(27)
  })

  it('nothing is multiplied before the charge is on the disk, nor when the disk refuses it', async () => {
    let [isWritten, isBroken] = [false, false]
    const early: boolean[] = []
    const around = (it: Ristretto): Ristretto => ({
      ...it,
      multiply: (a, b) => {
        early.push(!isWritten)
        return it.multiply(a, b)
      },
    })
    const disk = (real: QuotaDisk): QuotaDisk => ({
      ...real,
      async put(entries) {
        if (isBroken) throw new Error('no room')
        await real.put(entries)
        isWritten = true
      },
    })
    const s = await services({ replicas: 3, threshold: 2, around, disk })
    isBroken = true
    expect(await s.code(s.ask(0))).toBe('Error: no room')
    expect(early).toEqual([])
    isBroken = false
    expect(await s.code(s.ask(0))).toBe('OK')
    expect(early.length).toBeGreaterThan(0)
    expect(early).not.toContain(true)
  })
})

describe('the work of the service of evaluations', () => {
  it('a large request yields to the event loop after every sixteen multiplications', async () => {
    let [since, most] = [0, 0]
    const around = (it: Ristretto): Ristretto => ({
      ...it,
      multiply: (a, b) => {
        most = Math.max(most, ++since)
        return it.multiply(a, b)
      },
    })
    const s = await services({ replicas: 1, threshold: 1, around })
    let isOver = false
    const elements = [Array.from({ length: 36 }, () => randomElement(group, systemRandom))]
    const task = s.ask(0, { elements }).finally(() => (isOver = true))
    while (!isOver) {
      since = 0
      await setImmediate()
    }
    await task
    // The proof ends with a few multiplications more.
    expect(most).toBeGreaterThanOrEqual(16)
    expect(most).toBeLessThanOrEqual(20)
  })

  it('shares, secrets of parts and nonces are wiped when the answer is made, and when making it fails', async () => {
    let isBroken = false
    const secrets: Uint8Array[] = []
    const noted = (...scalars: Uint8Array[]): Uint8Array => {
      secrets.push(...scalars)
      return scalars[0]!
    }
    // The first operand of a product is public, and a difference is the answer to a challenge.
    const around = (it: Ristretto): Ristretto => ({
      ...it,
      multiplyBase: (a) => it.multiplyBase(noted(a)),
      scalarMultiply: (a, b) => noted(it.scalarMultiply(a, b), b),
      scalarAdd: (a, b) => noted(it.scalarAdd(a, b), a, b),
      scalarSubtract: (a, b) => it.scalarSubtract(noted(a), noted(b)),
      multiply(a, b) {
        if (isBroken) throw new Error('broken')
        return it.multiply(a, b)
      },
    })
    const s = await services({ replicas: 3, threshold: 2, around })
    for (const expected of ['OK', 'Error: broken']) {
      isBroken = expected !== 'OK'
      secrets.length = 0
      expect(await s.code(s.ask(0))).toBe(expected)
      expect(secrets.length).toBeGreaterThan(8)
      for (const bytes of secrets) expect(bytes).toEqual(new Uint8Array(32))
    }
  })

  it('a generator that repeats itself gives no two requests one nonce', async () => {
    const s = await services({ replicas: 1, threshold: 1, random: (length) => new Uint8Array(length) })
    const commitments = new Set<string>()
    for (let i = 0; i < 5; i++) {
      const asked = s.request()
      const { evaluated, proof, partKeys } = (await checked(s, 0, asked)).epochs[0]!
      // s·G + c·Y is the commitment to the nonce.
      const [c, own] = [proof.slice(0, 32), proof.slice(32)]
      const t = group.add(group.multiplyBase(own), group.multiply(c, partKeys!.keys[0]!))
      commitments.add(Buffer.from(t).toString('hex'))
      expect(evaluated).toHaveLength(2)
    }
    expect(commitments.size).toBe(5)
    const same = encodeEvaluateRequest(s.request())
    const twice = await Promise.all([s.nodes[0]!.answer(same, HERE), s.nodes[0]!.answer(same, HERE)])
    expect(twice[0]).toEqual(twice[1])
    expect(decodeEvaluateRequest(same).epochs).toEqual([s.roster.firstEpoch])
  })
})
