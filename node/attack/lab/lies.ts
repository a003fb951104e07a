/**
 * False answers of a salt node, each under its own signature. PROTOCOL.md §5.4, §5.9. Under `plain` it bends the answer of an
 * honest replica. Under `threshold` it evaluates with its own share, or with a key that it makes up for one person.
 */
import {
  type EvaluationKey,
  evaluating,
  randomElement,
  randomScalar,
  rankToWeights,
  secretsToShare,
} from '@geotrace/core-wasm/voprf'
import {
  answerContent,
  concatBytes,
  decodeEvaluateRequest,
  decodeSaltAnswer,
  type EpochEvaluation,
  encodeUnsignedAnswer,
  encodeUnsignedEvaluation,
  equalBytes,
  type PartKeys,
  SALT_PROTOCOL,
  signContent,
} from '@geotrace/core-wasm/wire'
import type { Handler } from '../../src/net/protocol.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { certifiedPartKeys } from './evaluations.ts'
import type { Impostor } from './impostor.ts'
import { replicasOf } from './intruder.ts'
import type { Lab } from './lab.ts'
import { partScalars } from './seeds.ts'

/**
 * An answer under a key for one person would mark the hashes of that person. All have the form of the request: an answer of
 * another form convicts nobody, and the device takes it for a refusal.
 */
export const LIES = ['elements in another order', 'another key', 'another proof', 'elements of another person'] as const
export type Lie = (typeof LIES)[number] | 'another salt'

/** Answers salts, one of them false. */
export function lieAboutSalts(lab: Lab, { host, signer }: Impostor, told: (lie: Lie) => void): Handler {
  return async (bytes) => {
    const honest = replicasOf(lab).find(({ key }) => !equalBytes(key, signer.key))!
    const answer = decodeSaltAnswer(await host.request(honest, SALT_PROTOCOL, bytes))
    const [first] = answer.epochs
    const place = Math.clz32(first!.mask & -first!.mask) ^ 31
    first!.entries[place] = systemRandom(32)
    const unsigned = encodeUnsignedAnswer(answer)
    told('another salt')
    return concatBytes(unsigned, signContent(signer, 'geotrace/salt-answer', answerContent(bytes, unsigned)))
  }
}

/** Answers evaluations, each request with the next lie. */
export function lieAboutEvaluations(lab: Lab, { signer }: Impostor, told: (lie: Lie) => void): Handler {
  const { group, certified, clock } = lab
  const { replicas, threshold } = certified.roster
  const rank = replicasOf(lab).findIndex(({ key }) => equalBytes(key, signer.key))
  const weights = rankToWeights(replicas, threshold, rank)
  const known = new Map<number, EpochSecrets>()
  let next = 0
  return async (bytes) => {
    const { epochs, elements, wantsKeys } = decodeEvaluateRequest(bytes)
    const lie = LIES[next++ % LIES.length]!
    const answers: EpochEvaluation[] = []
    for (const [i, epoch] of epochs.entries()) {
      const { scalars, partKeys } = known.get(epoch) ?? (await epochSecrets(lab, epoch))
      known.set(epoch, { scalars, partKeys })
      const own = secretsToShare(group, weights, (part) => scalars[part]!)
      const share = lie === 'another key' ? randomScalar(group, systemRandom) : own
      const key = { secret: share, public: group.multiplyBase(share) }
      const ofAnother = () => elements[i]!.map(() => randomElement(group, systemRandom))
      const blinded = lie === 'elements of another person' ? ofAnother() : elements[i]!
      answers.push({ ...bent(lie, evaluateAll(lab, key, blinded)), partKeys: wantsKeys ? partKeys : undefined })
    }
    told(lie)
    const unsigned = encodeUnsignedEvaluation({ time: clock.now(), epochs: answers })
    return concatBytes(unsigned, signContent(signer, 'geotrace/evaluation', answerContent(bytes, unsigned)))
  }
}

interface EpochSecrets {
  readonly scalars: readonly Uint8Array[]
  readonly partKeys: PartKeys
}

/** Asked once for each epoch, because each question costs quota. */
async function epochSecrets(lab: Lab, epoch: number): Promise<EpochSecrets> {
  return { scalars: await partScalars(lab, epoch), partKeys: await certifiedPartKeys(lab, epoch) }
}

interface Evaluated {
  readonly evaluated: Uint8Array[]
  readonly proof: Uint8Array
}

function bent(lie: Lie, { evaluated, proof }: Evaluated): Evaluated {
  if (lie === 'elements in another order') return { evaluated: [...evaluated].reverse(), proof }
  if (lie === 'another proof') return { evaluated, proof: proof.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) }
  return { evaluated, proof }
}

function evaluateAll({ group }: Lab, key: EvaluationKey, blinded: readonly Uint8Array[]): Evaluated {
  const steps = evaluating(group, key, blinded, randomScalar(group, systemRandom))
  for (;;) {
    const step = steps.next()
    if (step.done === true) return { evaluated: [...step.value.evaluated], proof: step.value.proof }
  }
}
