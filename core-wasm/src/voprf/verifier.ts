/**
 * The group's part in checking evaluations: share keys and proofs. PROTOCOL.md §5.8, §5.9. The wire takes it as an argument.
 */
import type { EvaluationVerifier } from '../wire/messages/evaluate-check.ts'
import type { Group } from './group.ts'
import { keysToShareKey, rankToWeights, type ShareWeight } from './shares.ts'
import { isValidEvaluation } from './voprf.ts'

export function evaluationVerifier(group: Group): EvaluationVerifier {
  /** By replicas, threshold and rank, of which a federation has a few. */
  const weightsOf = new Map<string, ShareWeight[]>()
  return {
    toShareKey({ replicas, threshold, rank }, partKeys) {
      const name = `${replicas} ${threshold} ${rank}`
      const weights = weightsOf.get(name) ?? rankToWeights(replicas, threshold, rank)
      weightsOf.set(name, weights)
      if (!weights.every(({ part }) => group.isElement(partKeys[part]!))) return undefined
      return keysToShareKey(group, weights, partKeys)
    },
    isValidProof: (shareKey, blinded, evaluated, proof) =>
      isValidEvaluation(group, shareKey, blinded, { evaluated, proof }),
  }
}
