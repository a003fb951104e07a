/**
 * Checks a salt node's evaluations against the sheet of its shard. PROTOCOL.md §5.9. Every client checks every answer, and
 * peers check the evidence of a false one. The group comes as an argument, because the wire knows none.
 * Throws EPOCH_LOST when the certified keys of an epoch are no elements: then no replica can answer for it.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '../encoding/bytes.ts'
import { isValidPath } from '../encoding/merkle.ts'
import { isValidSignature } from '../encoding/signature.ts'
import { FederationError } from '../errors.ts'
import type { EvaluateAnswer, EvaluateRequest, PartKeys } from './evaluate.ts'
import { answerContent } from './salt.ts'

/** The arithmetic that the checks need, from `@geotrace/core-wasm/voprf`. */
export interface EvaluationVerifier {
  /** The key of a replica's share from the keys of all parts; undefined when one of them is no element. */
  toShareKey(place: ReplicaPlace, partKeys: readonly Uint8Array[]): Uint8Array | undefined
  /** Whether the proof holds for these elements under the share key. */
  isValidProof(
    shareKey: Uint8Array,
    blinded: readonly Uint8Array[],
    evaluated: readonly Uint8Array[],
    proof: Uint8Array,
  ): boolean
}
/** The place of a replica among those of its shard. */
interface ReplicaPlace {
  readonly replicas: number
  readonly threshold: number
  /** From 0. */
  readonly rank: number
}
/** The sheet of a shard as its roster names it. */
interface ShardSheet {
  readonly root: Uint8Array
  readonly firstEpoch: number
  /** Number of lines. */
  readonly epochs: number
}

export function isSignedEvaluation(
  key: Uint8Array,
  request: Uint8Array,
  { unsigned, signature }: Pick<EvaluateAnswer, 'signature'> & { unsigned: Uint8Array },
): boolean {
  return isValidSignature(key, 'geotrace/evaluation', answerContent(request, unsigned), signature)
}

/** Whether the sheet commits to these part keys for `epoch`: its line is the hash of all of them. */
export function isCertified(
  { root, firstEpoch, epochs }: ShardSheet,
  epoch: number,
  { keys, path }: PartKeys,
): boolean {
  return isValidPath(sha256(concatBytes(...keys)), epoch - firstEpoch, epochs, path, root)
}

/**
 * How the answer of a replica differs from the truth for the `index`-th epoch of the request; undefined when every bit is
 * right. `known` are certified part keys of that epoch, for an answer that carries none.
 */
export function evaluationToLie(
  { epochs, elements }: EvaluateRequest,
  answer: EvaluateAnswer,
  index: number,
  sheet: ShardSheet,
  place: ReplicaPlace,
  known: readonly Uint8Array[],
  verifier: EvaluationVerifier,
): string | undefined {
  const epoch = epochs[index]!
  const { evaluated, proof, partKeys } = answer.epochs[index]!
  if (partKeys !== undefined && !isCertified(sheet, epoch, partKeys)) return 'the sheet does not hold its part keys'
  const shareKey = verifier.toShareKey(place, partKeys?.keys ?? known)
  if (shareKey === undefined) {
    throw new FederationError('EPOCH_LOST', `the certified keys of epoch ${epoch} are no elements: wait for the next`, {
      epoch,
    })
  }
  return verifier.isValidProof(shareKey, elements[index]!, evaluated, proof) ? undefined : 'its proof fails'
}
