import { describe, expect, it } from 'vitest'
import { testShares } from '../../../src/testing/evaluations.ts'
import { foundRoster, testManifest, testSigner } from '../../../src/testing/founding.ts'
import { treeToPath } from '../../../src/testing/merkle-tree.ts'
import { evaluationVerifier, loadGroup } from '../../../src/voprf/index.ts'
import * as wire from '../../../src/wire/index.ts'

const SHARD = 1
const [REPLICAS, THRESHOLD] = [5, 3]
const group = await loadGroup()
const verifier = evaluationVerifier(group)
const shares = testShares(group)
const manifest = testManifest({
  ...{ shards: 2, periodEpochs: 6, reserveEpochs: 2, evaluations: [3, 12] },
  ...{ salting: 'threshold', replicas: REPLICAS, threshold: THRESHOLD },
})
const trees = shares.trees(wire.manifestToRoster(manifest))
const certified = foundRoster(manifest, trees)
const { roster } = certified
const name = wire.hashToRosterName(certified.hash)
const named = (wanted: Uint8Array) => (wire.equalBytes(wanted, name) ? certified : undefined)
const replicas = wire.shardToReplicas(roster, SHARD)
const RANK = 2
const liar = ['ash', 'birch', 'cedar', 'elm', 'fir']
  .map((role) => testSigner(`peer/${role}`))
  .find(({ key }) => wire.equalBytes(key, replicas[RANK]!.key))!
const epochs = [roster.firstEpoch + 1, roster.firstEpoch + 2]
const element = (n: number) => group.multiplyBase(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? n : 0)))
const elements = epochs.map((_, i) => [1, 2, 3].map((n) => element(n + 10 * i)))
const requestOf = (wantsKeys: boolean, of = name, shard = SHARD) =>
  wire.encodeEvaluateRequest({ roster: of, shard, wantsKeys, epochs, elements })
const provenKeys = (epoch: number): wire.PartKeys => ({
  keys: shares.partKeys(roster, SHARD, epoch),
  path: treeToPath(trees[SHARD]!, epoch - roster.firstEpoch),
})
const evidenceOf = (request: Uint8Array, answer: Uint8Array, change: object = {}): wire.Evidence => ({
  kind: 'evaluation',
  key: liar.key,
  request,
  answer,
  epoch: epochs[1]!,
  partKeys: wire.decodeEvaluateRequest(request).wantsKeys ? null : provenKeys(epochs[1]!),
  ...change,
})
const proves = (evidence: wire.Evidence) =>
  wire.isProof(wire.decodeEvidence(wire.encodeEvidence(evidence)), named, verifier)
type Bend = (epoch: wire.EpochEvaluation, index: number) => wire.EpochEvaluation
const answerTo = (request: Uint8Array, bend?: Bend, signer = liar) =>
  shares.answer(roster, RANK, request, signer, 1_000, bend)
const second =
  (change: (epoch: wire.EpochEvaluation) => Partial<wire.EpochEvaluation>): Bend =>
  (epoch, index) =>
    index === 1 ? { ...epoch, ...change(epoch) } : epoch

const LIES: [what: string, bend: Bend][] = [
  ['an altered element', second(({ evaluated }) => ({ evaluated: [element(77), ...evaluated.slice(1)] }))],
  ['an element that is none', second(({ evaluated }) => ({ evaluated: [new Uint8Array(32), ...evaluated.slice(1)] }))],
  ['swapped elements', second(({ evaluated: [a, b, c] }) => ({ evaluated: [b!, a!, c!] }))],
  ['an altered proof', second(({ proof }) => ({ proof: proof.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) }))],
]

describe('evidence of a false evaluation', () => {
  for (const wantsKeys of [true, false]) {
    const request = requestOf(wantsKeys)
    const which = wantsKeys ? 'with part keys' : 'without part keys'

    for (const [what, bend] of LIES) {
      it(`a signed answer ${which} that has ${what} is evidence for its epoch only`, () => {
        const answer = answerTo(request, bend)
        expect(proves(evidenceOf(request, answer))).toBe(true)
        const first = { epoch: epochs[0]!, partKeys: wantsKeys ? null : provenKeys(epochs[0]!) }
        expect(proves(evidenceOf(request, answer, first))).toBe(false)
      })
    }

    it(`an honest answer ${which} is no evidence, whatever else is altered`, () => {
      const answer = answerTo(request)
      expect(proves(evidenceOf(request, answer))).toBe(false)
      const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 4 : byte))
      for (let at = 0; at < answer.length; at += 41) expect(proves(evidenceOf(request, flip(answer, at)))).toBe(false)
      for (let at = 0; at < request.length; at += 13) {
        const bent = flip(request, at)
        expect(proves({ ...evidenceOf(request, answer), request: bent } as wire.Evidence)).toBe(false)
      }
      expect(proves(evidenceOf(request, answer, { epoch: roster.firstEpoch }))).toBe(false)
    })
  }

  it('a signed answer with the key of another replica, of another epoch or with false part keys is evidence', () => {
    const request = requestOf(true)
    const other = shares.answer(roster, RANK + 1, request, liar, 1_000)
    expect(proves(evidenceOf(request, other))).toBe(true)
    const swapped = answerTo(request, (_, index) => honest(request)[1 - index]!)
    expect(proves(evidenceOf(request, swapped))).toBe(true)
    const falseKeys = answerTo(
      request,
      second(({ partKeys }) => ({ partKeys: { ...partKeys!, keys: [element(5), ...partKeys!.keys.slice(1)] } })),
    )
    expect(proves(evidenceOf(request, falseKeys))).toBe(true)
    const falsePath = answerTo(
      request,
      second(({ partKeys }) => ({ partKeys: { ...partKeys!, path: [] } })),
    )
    expect(proves(evidenceOf(request, falsePath))).toBe(true)
  })

  it('a false answer proves nothing with part keys that the sheet does not hold, or that it does not need', () => {
    const bare = requestOf(false)
    const lie = answerTo(bare, LIES[0]![1])
    expect(proves(evidenceOf(bare, lie, { partKeys: null }))).toBe(false)
    expect(proves(evidenceOf(bare, lie, { partKeys: provenKeys(epochs[0]!) }))).toBe(false)
    const foreign = { ...provenKeys(epochs[1]!), keys: shares.partKeys(roster, 0, epochs[1]!) }
    expect(proves(evidenceOf(bare, lie, { partKeys: foreign }))).toBe(false)
    const keyed = requestOf(true)
    const answer = answerTo(keyed, LIES[0]![1])
    expect(proves(evidenceOf(keyed, answer, { partKeys: provenKeys(epochs[1]!) }))).toBe(false)
  })

  it('a false answer by a stranger, under an unknown roster, for a shard that does not exist, or a refusal proves nothing', () => {
    const request = requestOf(true)
    const stranger = testSigner('peer/gum')
    const lie = answerTo(request, LIES[0]![1], stranger)
    expect(proves(evidenceOf(request, lie, { key: stranger.key }))).toBe(false)
    expect(proves(evidenceOf(request, lie))).toBe(false)
    const elsewhere = requestOf(true, new Uint8Array(8))
    expect(proves(evidenceOf(elsewhere, answerTo(elsewhere, LIES[0]![1])))).toBe(false)
    const nowhere = requestOf(true, name, 2)
    expect(proves(evidenceOf(nowhere, answerTo(request, LIES[0]![1])))).toBe(false)
    expect(proves(evidenceOf(request, Uint8Array.of(9, 0, 0, 0, 1)))).toBe(false)
    expect(proves(evidenceOf(request, new Uint8Array(0)))).toBe(false)
  })

  it('certified part keys that are no elements convict nobody', () => {
    const keys = shares
      .partKeys(roster, SHARD, epochs[1]!)
      .map((own, i) => (i === 0 ? new Uint8Array(32).fill(255) : own))
    const place = { replicas: REPLICAS, threshold: THRESHOLD, rank: 0 }
    const request = wire.decodeEvaluateRequest(requestOf(false))
    const shape = wire.requestToShape(request, keys.length)
    const answer = wire.decodeEvaluateAnswer(answerTo(requestOf(false)), shape)
    const sheet = { root: roster.sheets[SHARD]!, firstEpoch: roster.firstEpoch, epochs: 8 }
    expect(() => wire.evaluationToLie(request, answer, 1, sheet, place, keys, verifier)).toThrow(
      expect.objectContaining({ code: 'EPOCH_LOST', data: { epoch: epochs[1] } }),
    )
  })

  it('evidence of a false evaluation cannot be judged without a verifier', () => {
    const request = requestOf(true)
    expect(() => wire.isProof(evidenceOf(request, answerTo(request)), named)).toThrow(TypeError)
  })
})

/** The honest evaluations of both epochs. */
function honest(request: Uint8Array): wire.EpochEvaluation[] {
  const found: wire.EpochEvaluation[] = []
  answerTo(request, (epoch) => {
    found.push(epoch)
    return epoch
  })
  return found
}
