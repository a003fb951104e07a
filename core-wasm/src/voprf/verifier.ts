/**
 * The group's part in checking evaluations: share keys and proofs. PROTOCOL.md §5.8, §5.9. The wire takes it as an argument.
 */
import type { EvaluationVerifier } from '../wire/messages/evaluate-check.ts'
import type { Group } from './group.ts'
import { keysToShareKey, rankToWeights } from './shares.ts'
import { isValidEvaluation } from './voprf.ts'

export function evaluationVerifier(group: Group): EvaluationVerifier {
  /** A share key costs several multiplications, and a client asks the same replicas for many batches of an epoch. */
  const known = new WeakMap<readonly Uint8Array[], Map<string, Uint8Array | undefined>>()
  return {
    toShareKey({ replicas, threshold, rank }, partKeys) {
      const name = `${replicas} ${threshold} ${rank}`
      const keys = known.get(partKeys) ?? new Map<string, Uint8Array | undefined>()
      known.set(partKeys, keys)
      if (!keys.has(name)) {
        const weights = rankToWeights(replicas, threshold, rank)
        const areElements = weights.every(({ part }) => group.isElement(partKeys[part]!))
        keys.set(name, areElements ? keysToShareKey(group, weights, partKeys) : undefined)
      }
      return keys.get(name)
    },
    isValidProof: (shareKey, blinded, evaluated, proof) =>
      isValidEvaluation(group, shareKey, blinded, { evaluated, proof }),
  }
}
