import { testShares, testSigner } from '@geotrace/core-wasm/testing'
import { cellToInput, evaluationVerifier, loadGroup } from '@geotrace/core-wasm/voprf'
import * as wire from '@geotrace/core-wasm/wire'
import { EVALUATE_PROTOCOL } from '@geotrace/core-wasm/wire'
import { ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededBytes,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { CAFE, MINUTE, recordAll, uncut } from '../fixture.ts'

/** One shard. Small batches, because every element costs three nodes and the device some multiplications. */
const SMALL = { salting: 'threshold', shards: 1, evaluations: [4, 12] } as const
const THREE_OF_FIVE = { ...SMALL, replicas: 5, threshold: 3, evaluations: [4, 12] }
const ONE_OF_THREE = { ...SMALL, replicas: 3, threshold: 1, evaluations: [4, 12] }
const group = await loadGroup()
const verifier = evaluationVerifier(group)
const FIXES = life(CAFE, START_MS, 30)
const refusal = (error: unknown) => async () => wire.encodeRefusal(wire.errorToRefusal(error))
type Reply = () => Promise<Uint8Array>

async function device(federation: FakeFederation, seed = 'device', fixes = FIXES) {
  const tracer = await openTracer(federation, { random: seededBytes(seed) })
  await recordAll(tracer, fixes)
  return tracer
}
/** The rows of each user, as text. */
const rowsOf = (federation: FakeFederation) =>
  [...federation.central.users.values()].map((user) => [...user.rows.keys()].sort().join())
/** Sees every evaluate request; `reply` may answer in place of the node. */
function watch(
  federation: FakeFederation,
  reply: (peer: string, asked: number, frame: Uint8Array) => Reply | undefined,
) {
  const asked: { peer: string; request: wire.EvaluateRequest; frame: Uint8Array }[] = []
  federation.intercept = (peer, protocol, frame, serve) => {
    if (protocol.id !== EVALUATE_PROTOCOL.id) return serve(frame)
    asked.push({ peer, request: wire.decodeEvaluateRequest(frame), frame })
    return reply(peer, asked.length, frame)?.() ?? serve(frame)
  }
  return asked
}
const honestly = () => undefined

describe('a sync under the salting threshold', () => {
  it('the cell keys are those of noble under the key that no node has', async () => {
    const federation = await fakeFederation(THREE_OF_FIVE)
    const { core, certified } = federation
    const fixes = FIXES.slice(0, 1)
    const tracer = await device(federation, 'device', fixes)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 1, fixesDeferred: 0 })
    const points = core.fixesToRiskPoints(fixes, 'threshold')
    if (points.needed.salting !== 'threshold') throw new Error('expected cells')
    const { cells, epochs, count } = points.needed
    const secrets = new Uint8Array(count * 32)
    const { Fn } = ristretto255.Point
    const shares = testShares(group)
    const { voprf } = ristretto255_oprf
    // Through (1, a), (2, b), (3, c) goes a parabola with 3a − 3b + c at 0.
    const lambdas = [3n, Fn.neg(3n), 1n]
    for (let i = 0; i < count; i++) {
      const own = [0, 1, 2].map((rank) => Fn.fromBytes(shares.key(certified.roster, 0, epochs[i]!, rank).secret))
      const key = Fn.toBytes(own.reduce((sum, share, j) => Fn.add(sum, Fn.mul(share, lambdas[j]!)), 0n))
      const publicKey = ristretto255.Point.BASE.multiply(Fn.fromBytes(key)).toBytes()
      const { blind, blinded } = voprf.blind(cellToInput(cells[i]!))
      const { evaluated, proof } = voprf.blindEvaluate(key, publicKey, blinded)
      const output = voprf.finalize(cellToInput(cells[i]!), blind, evaluated, blinded, publicKey, proof)
      secrets.set(output.slice(0, 32), i * 32)
    }
    const hashes = core.hashRiskPoints(points, secrets)
    const expected = Array.from({ length: points.count }, (_, i) =>
      wire.bytesToHex(hashes.subarray(i * 12, i * 12 + 12)),
    )
    const [user] = federation.central.users.values()
    const rows = new Set([...user!.rows.keys()].map((row) => row.split('/').at(-1)))
    expect(rows).toEqual(new Set(expected))
  })

  it('devices that ask other replicas, and of other thresholds, get the rows that fit each other', async () => {
    for (const parameters of [ONE_OF_THREE, THREE_OF_FIVE]) {
      const federation = await fakeFederation(parameters)
      const askedBy = new Set<string>()
      for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
        const asked = watch(federation, honestly)
        expect(await (await device(federation, seed)).sync()).toMatchObject({ fixesHashed: 6 })
        askedBy.add(
          asked
            .map(({ peer }) => peer)
            .sort()
            .join(),
        )
      }
      expect(askedBy.size).toBeGreaterThan(1)
      expect(new Set(rowsOf(federation)).size).toBe(1)
    }
  })

  it('each request is padded to a batch class, its elements differ, and one of t nodes is asked for the part keys', async () => {
    const federation = await fakeFederation(THREE_OF_FIVE)
    const asked = watch(federation, honestly)
    const tracer = await device(federation)
    const { evaluationsPadded, saltsAsked, saltRequests } = await tracer.sync()
    expect(saltRequests).toBe(3)
    expect(asked.map(({ request }) => request.wantsKeys)).toEqual([true, false, false])
    const elements = asked.map(({ request }) => request.elements.flat().map(wire.bytesToHex))
    expect(elements[1]).toEqual(elements[0])
    expect(elements[2]).toEqual(elements[0])
    expect(new Set(elements[0]).size).toBe(elements[0]!.length)
    expect(evaluationsPadded).toBe(elements[0]!.length)
    expect(asked[0]!.request.elements.every((batch) => batch.length === 4)).toBe(true)
    expect(saltsAsked).toBeLessThan(evaluationsPadded)

    // The next sync knows the part keys of the same epochs.
    await federation.clock.advanceTo(START_MS + 10 * MINUTE)
    await recordAll(tracer, life({ lat: 52.53, lng: 13.405 }, START_MS + 10 * MINUTE, 10))
    await tracer.sync()
    expect(asked.slice(3).map(({ request }) => request.wantsKeys)).toEqual([false, false, false])
    // A device asks the same nodes again, so that few nodes learn of it.
    expect(
      asked
        .slice(3)
        .map(({ peer }) => peer)
        .sort(),
    ).toEqual(
      asked
        .slice(0, 3)
        .map(({ peer }) => peer)
        .sort(),
    )
  })

  it('two devices with the same fixes send the same epochs and batches, and no element twice', async () => {
    const federation = await fakeFederation(THREE_OF_FIVE)
    const asked = watch(federation, honestly)
    for (const seed of ['a', 'b']) await (await device(federation, seed)).sync()
    const shape = ({ request }: (typeof asked)[number]) => [
      request.epochs,
      request.elements.map((batch) => batch.length),
    ]
    expect(shape(asked[0]!)).toEqual(shape(asked[3]!))
    const first = new Set(asked[0]!.request.elements.flat().map(wire.bytesToHex))
    expect(asked[3]!.request.elements.flat().some((element) => first.has(wire.bytesToHex(element)))).toBe(false)
  })
})

const UNKIND: [what: string, reply: Reply][] = [
  ['is unreachable', unreachable],
  ['does not answer in time', () => Promise.reject(new wire.FederationError('PEER_TIMEOUT', '', { peer: '' }))],
  ['says that the quota is spent', refusal(new wire.FederationError('QUOTA_SPENT', '', { retryAfterMs: 3_600_000 }))],
  ['does not allow the address', refusal(new wire.FederationError('NOT_ALLOWED', ''))],
  ['refuses the batch', refusal(wire.batchRefused(12))],
  ['has lost its secrets', refusal(new wire.FederationError('EPOCH_LOST', '', { epoch: 1 }))],
  ['fails internally', refusal(new Error('no'))],
  ['answers with no bytes', async () => new Uint8Array(0)],
  ['answers with noise', async () => seededBytes('noise')(2_000)],
]

describe('replicas that refuse', () => {
  for (const [what, reply] of UNKIND) {
    it(`a device of which two of five nodes do so (${what}) gets its keys from the three others`, async () => {
      const federation = await fakeFederation(THREE_OF_FIVE)
      const tracer = await device(federation, what)
      const refusing = new Set<string>()
      const asked = watch(federation, (peer) => {
        // The node that is asked for the part keys refuses too.
        if (refusing.size < 2) refusing.add(peer)
        return refusing.has(peer) ? reply : undefined
      })
      expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0, saltRequests: 5 })
      expect(new Set(asked.map(({ peer }) => peer)).size).toBe(5)
      const honest = await fakeFederation(THREE_OF_FIVE)
      await (await device(honest)).sync()
      expect(rowsOf(federation)).toEqual(rowsOf(honest))
    })
  }

  it('a device that fewer than t nodes answer keeps no key and no row, and syncs later', async () => {
    const federation = await fakeFederation(THREE_OF_FIVE)
    const tracer = await device(federation)
    const refusing = new Set<string>()
    watch(federation, (peer) => {
      if (refusing.size < 3) refusing.add(peer)
      return refusing.has(peer) ? unreachable : undefined
    })
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 0, fixesDeferred: 6, saltsAsked: 0, rowsDeposited: 0 })
    expect(rowsOf(federation)).toEqual([])
    uncut(federation)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0, saltsReused: 0 })
  })

  it('the pause that a spent node asks for reaches the result when too few nodes answer', async () => {
    const federation = await fakeFederation(THREE_OF_FIVE)
    federation.quota = 0
    const tracer = await device(federation)
    const { next, fixesDeferred } = await tracer.sync()
    expect(fixesDeferred).toBe(6)
    expect(next.allowedAt).toBe(START_MS + 60_000)
  })

  it('an abort ends the sync and leaves the fixes for the next one', async () => {
    const federation = await fakeFederation(THREE_OF_FIVE)
    const tracer = await device(federation)
    const stop = new AbortController()
    watch(federation, (_peer, asked) => {
      if (asked === 2) stop.abort()
      return undefined
    })
    await expect(tracer.sync({ signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    uncut(federation)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6 })
  })
})

describe('replicas that lie', () => {
  it('a replica that swaps evaluations is found in the same sync, proved to two members, and not asked again', async () => {
    for (const position of [1, 2]) {
      const federation = await fakeFederation(THREE_OF_FIVE)
      const tracer = await device(federation)
      const asked = watch(federation, (peer, count) => {
        if (count === position) federation.liars.add(peer)
        return undefined
      })
      expect(await tracer.sync()).toMatchObject({ nodesLied: 1, fixesHashed: 6, fixesDeferred: 0, saltRequests: 4 })
      const [liar] = federation.liars
      const proofs = federation.submitted.map(({ message }) => {
        const gossip = wire.decodeGossip(message)
        if (gossip.kind !== 'evidence') throw new Error(gossip.kind)
        return wire.decodeEvidence(gossip.evidence)
      })
      expect(proofs).toHaveLength(2)
      for (const proof of proofs) {
        expect(proof).toMatchObject({ kind: 'evaluation', partKeys: position === 1 ? null : expect.anything() })
        expect(wire.isProof(proof, () => federation.certified, verifier)).toBe(true)
      }
      expect(federation.submitted.map(({ peer }) => peer)).not.toContain(liar)
      const before = asked.length
      await federation.clock.advanceTo(START_MS + 10 * MINUTE)
      await recordAll(tracer, life({ lat: 52.53, lng: 13.405 }, START_MS + 10 * MINUTE, 10))
      await tracer.sync()
      expect(asked.slice(before).map(({ peer }) => peer)).not.toContain(liar)
    }
  })

  it('any altered byte of an answer is detected, and the keys come from other replicas', async () => {
    const federation = await fakeFederation(THREE_OF_FIVE)
    await (await device(federation)).sync()
    let tried = 0
    for (const position of [1, 2]) {
      for (let at = 0; at < 440; at += 59) {
        const tracer = await device(federation, `${position} ${at}`)
        let asked = 0
        federation.intercept = async (_peer, protocol, frame, serve) => {
          const isBent = protocol.id === EVALUATE_PROTOCOL.id && ++asked === position
          const reply = await serve(frame)
          if (isBent) reply[at]! ^= 1
          return reply
        }
        expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, saltRequests: 4 })
        tried++
      }
    }
    expect(tried).toBe(16)
    expect(new Set(rowsOf(federation)).size).toBe(1)
    // A bent answer is signed by nobody, so nobody is accused.
    expect(federation.submitted).toEqual([])
  })

  it('more than R − t liars leave nothing half salted', async () => {
    const federation = await fakeFederation(THREE_OF_FIVE)
    for (const name of ['ash', 'birch', 'cedar']) federation.liars.add(name)
    const tracer = await device(federation)
    expect(await tracer.sync()).toMatchObject({ nodesLied: 3, fixesHashed: 0, fixesDeferred: 6, rowsDeposited: 0 })
    expect(rowsOf(federation)).toEqual([])
  })

  type Bend = (epoch: wire.EpochEvaluation) => wire.EpochEvaluation
  const firstElement =
    (byte: number): Bend =>
    (epoch) => ({
      ...epoch,
      evaluated: [new Uint8Array(32).fill(byte), ...epoch.evaluated.slice(1)],
    })
  /** The answers of one node, all signed: the rank whose share it uses, the bend, and whether they convict the node. */
  const SIGNED: [what: string, rankMore: number, bend: Bend, isProof: boolean][] = [
    ['the share of another index', 1, (epoch) => epoch, true],
    ['the identity as an element', 0, firstElement(0), true],
    ['an encoding that is not canonical', 0, firstElement(0xff), true],
    ['a batch of another size', 0, (epoch) => ({ ...epoch, evaluated: epoch.evaluated.slice(1) }), false],
  ]

  it.each(SIGNED)(
    'a node that signs %s is replaced, and the rows are those of honest nodes',
    async (what, more, bend, isProof) => {
      const honest = await fakeFederation(THREE_OF_FIVE)
      await (await device(honest)).sync()
      const federation = await fakeFederation(THREE_OF_FIVE)
      const { roster } = federation.certified!
      const shares = testShares(group)
      watch(federation, (peer, count, frame) => {
        if (count !== 2) return undefined
        const signer = testSigner(`peer/${peer}`)
        const { shard } = wire.decodeEvaluateRequest(frame)
        const own = wire.shardToReplicas(roster, shard).findIndex(({ key }) => wire.equalBytes(key, signer.key))
        const rank = (own + more) % THREE_OF_FIVE.replicas
        return async () => shares.answer(roster, rank, frame, signer, federation.clock.now(), bend)
      })
      const tracer = await device(federation, what)
      const nodesLied = isProof ? 1 : 0
      expect(await tracer.sync()).toMatchObject({ nodesLied, fixesHashed: 6, fixesDeferred: 0, saltRequests: 4 })
      expect(federation.submitted).toHaveLength(isProof ? 2 : 0)
      expect(rowsOf(federation)).toEqual(rowsOf(honest))
    },
  )
})
