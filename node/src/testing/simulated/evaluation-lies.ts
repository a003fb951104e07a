/**
 * The lies about evaluations that a salt node signs with its real key. By PROTOCOL.md §5.9 no device accepts one of them. A
 * device notices each of them in the same sync.
 */
import { type EvaluationKey, evaluating, type Group, loadGroup } from '@geotrace/core-wasm/voprf'
import {
  answerContent,
  concatBytes,
  decodeEvaluateAnswer,
  decodeEvaluateRequest,
  type EpochEvaluation,
  encodeUnsignedEvaluation,
  type Parameters,
  partCount,
  requestToShape,
  type Signer,
  signContent,
} from '@geotrace/core-wasm/wire'
import type { SeededRandom } from './seeded-random.ts'

export const EVALUATION_LIES = ['wrong-element', 'other-key', 'wrong-proof', 'key-per-user', 'swapped-epochs'] as const
export type EvaluationLie = (typeof EVALUATION_LIES)[number]

/** A true answer of the node, and the byte by which it tells the requester from others. */
interface TrueAnswer {
  readonly request: Uint8Array
  readonly reply: Uint8Array
  readonly userByte: number
}
interface Liar {
  readonly signer: Signer
  readonly random: SeededRandom
  readonly parameters: Pick<Parameters, 'replicas' | 'threshold'>
}

/** A uniform scalar or element is made of 64 bytes. */
const DRAW_BYTES = 64

export async function bendEvaluations(
  lie: EvaluationLie,
  { request, reply, userByte }: TrueAnswer,
  { signer, random, parameters: { replicas, threshold } }: Liar,
): Promise<Uint8Array> {
  const asked = decodeEvaluateRequest(request)
  const { time, epochs } = decodeEvaluateAnswer(reply, requestToShape(asked, partCount(replicas, threshold)))
  const group = await loadGroup()
  const underKey = (draw: Uint8Array): EpochEvaluation[] => {
    const secret = group.scalarReduce(draw)
    const key = { secret, public: group.multiplyBase(secret) }
    return epochs.map((epoch, i) => {
      const nonce = group.scalarReduce(random.bytes(DRAW_BYTES))
      return { ...epoch, ...evaluateAll(group, key, asked.elements[i]!, nonce) }
    })
  }
  const bend = (): EpochEvaluation[] => {
    const [first, second] = epochs as [EpochEvaluation, EpochEvaluation | undefined]
    switch (lie) {
      case 'wrong-element': {
        const evaluated = [group.fromHash(random.bytes(DRAW_BYTES)), ...first.evaluated.slice(1)]
        return [{ ...first, evaluated }, ...epochs.slice(1)]
      }
      case 'wrong-proof': {
        const proof = first.proof.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
        return [{ ...first, proof }, ...epochs.slice(1)]
      }
      case 'other-key':
        return underKey(random.bytes(DRAW_BYTES))
      case 'key-per-user':
        return underKey(new Uint8Array(DRAW_BYTES).fill(userByte + 1))
      case 'swapped-epochs':
        // An answer about one epoch stays true.
        return second === undefined
          ? epochs
          : [{ ...second, partKeys: first.partKeys }, { ...first, partKeys: second.partKeys }, ...epochs.slice(2)]
    }
  }
  const unsigned = encodeUnsignedEvaluation({ time, epochs: bend() })
  return concatBytes(unsigned, signContent(signer, 'geotrace/evaluation', answerContent(request, unsigned)))
}

function evaluateAll(group: Group, key: EvaluationKey, blinded: readonly Uint8Array[], nonce: Uint8Array) {
  const steps = evaluating(group, key, blinded, nonce)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return { evaluated: [...step.value.evaluated], proof: step.value.proof }
  }
}
