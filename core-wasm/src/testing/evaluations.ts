/**
 * The shares, sheets and answers of a test federation with the salting `threshold`. PROTOCOL.md §5.7–§5.9. Like the salts of
 * founding.ts, part secrets derive from names, so nothing of this federation is secret.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import {
  type EvaluationKey,
  evaluating,
  type Group,
  keysToShareKey,
  rankToWeights,
  secretsToShare,
} from '../voprf/index.ts'
import { concatBytes, utf8 } from '../wire/encoding/bytes.ts'
import { type Signer, signContent } from '../wire/encoding/signature.ts'
import type { Roster } from '../wire/federation/roster.ts'
import { partCount, sheetEpochs } from '../wire/federation/roster-rules.ts'
import {
  decodeEvaluateRequest,
  type EpochEvaluation,
  encodeUnsignedEvaluation,
  type PartKeys,
} from '../wire/messages/evaluate.ts'
import { answerContent } from '../wire/messages/salt.ts'
import { linesToTree, treeToPath } from './merkle-tree.ts'

type Shape = Pick<Roster, 'replicas' | 'threshold'>
type Period = Shape & Pick<Roster, 'shards' | 'firstEpoch' | 'periodEpochs' | 'reserveEpochs'>

export interface TestShares {
  /** The keys of all parts of (shard, epoch). */
  partKeys(shape: Shape, shard: number, epoch: number): Uint8Array[]
  /** The share of the replica of this rank, and its key. */
  key(shape: Shape, shard: number, epoch: number, rank: number): EvaluationKey
  /** The Merkle tree of each shard's sheet. */
  trees(roster: Period): Uint8Array[][][]
  /** The signed answer of the replica of this rank. `bend` may alter the evaluations before they are signed. */
  answer(
    roster: Roster,
    rank: number,
    request: Uint8Array,
    signer: Signer,
    time: number,
    bend?: (epoch: EpochEvaluation, index: number) => EpochEvaluation,
  ): Uint8Array
}

export function testShares(group: Group): TestShares {
  const secret = (shard: number, epoch: number, part: number): Uint8Array =>
    group.scalarReduce(group.sha512(utf8(`part ${shard}/${epoch}/${part}`)))
  const keysOf = new Map<string, Uint8Array[]>()
  const partKeys = (shape: Shape, shard: number, epoch: number): Uint8Array[] => {
    const count = partCount(shape.replicas, shape.threshold)
    const name = `${count}/${shard}/${epoch}`
    const known = keysOf.get(name)
    if (known !== undefined) return known
    const keys = Array.from({ length: count }, (_, part) => group.multiplyBase(secret(shard, epoch, part)))
    keysOf.set(name, keys)
    return keys
  }
  const key = (shape: Shape, shard: number, epoch: number, rank: number): EvaluationKey => {
    const weights = rankToWeights(shape.replicas, shape.threshold, rank)
    return {
      secret: secretsToShare(group, weights, (part) => secret(shard, epoch, part)),
      public: keysToShareKey(group, weights, partKeys(shape, shard, epoch)),
    }
  }
  const tree = (roster: Period, shard: number): Uint8Array[][] =>
    linesToTree(
      concatBytes(
        ...Array.from({ length: sheetEpochs(roster) }, (_, i) =>
          sha256(concatBytes(...partKeys(roster, shard, roster.firstEpoch + i))),
        ),
      ),
    )
  const proven = (roster: Period, shard: number, epoch: number): PartKeys => ({
    keys: partKeys(roster, shard, epoch),
    path: treeToPath(tree(roster, shard), epoch - roster.firstEpoch),
  })
  return {
    partKeys,
    key,
    trees: (roster) => Array.from({ length: roster.shards }, (_, shard) => tree(roster, shard)),
    answer(roster, rank, request, signer, time, bend = (epoch) => epoch) {
      const { shard, epochs, elements, wantsKeys } = decodeEvaluateRequest(request)
      const answers = epochs.map((epoch, i): EpochEvaluation => {
        const nonce = group.scalarReduce(group.sha512(request, Uint8Array.of(rank, i)))
        const steps = evaluating(group, key(roster, shard, epoch, rank), elements[i]!, nonce)
        let step = steps.next()
        while (!step.done) step = steps.next()
        const { evaluated, proof } = step.value
        return bend(
          { evaluated: [...evaluated], proof, partKeys: wantsKeys ? proven(roster, shard, epoch) : undefined },
          i,
        )
      })
      const unsigned = encodeUnsignedEvaluation({ time, epochs: answers })
      return concatBytes(unsigned, signContent(signer, 'geotrace/evaluation', answerContent(request, unsigned)))
    },
  }
}
