/**
 * Answers /geotrace/evaluate/1: evaluates blinded elements under this replica's share. PROTOCOL.md §5.7–§5.11, §7.7. Throws,
 * in this order: decoding errors, BATCH_REFUSED, MESSAGE_MALFORMED (an element that is none), CLOCK_SKEWED, FORBIDDEN,
 * NOT_ALLOWED, ROSTER_UNKNOWN, WRONG_SHARD, BLOCK_TOO_OLD, BLOCK_TOO_NEW, EPOCH_LOST, TOKEN_REFUSED, QUOTA_SPENT.
 * Nothing is multiplied before the quota is charged on disk, so a refused request costs no multiplication. The work goes in
 * slices that yield to the event loop. A share exists only while its epoch is evaluated.
 */
import { setImmediate } from 'node:timers/promises'
import type { Random } from '@geotrace/core-wasm'
import {
  type Evaluation,
  type EvaluationKey,
  evaluating,
  type Group,
  rankToWeights,
  secretsToShare,
} from '@geotrace/core-wasm/voprf'
import {
  answerContent,
  batchRefused,
  byteWriter,
  concatBytes,
  decodeEvaluateRequest,
  ELEMENT_BYTES,
  EPOCH_MIN,
  type EpochEvaluation,
  encodeUnsignedEvaluation,
  type PartKeys,
  signContent,
  utf8,
} from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import type { TokenCheck } from '../tokens/token-check.ts'
import { assertElements } from './assert-elements.ts'
import type { EvaluationCounts } from './evaluation-counts.ts'
import type { DeviceBuckets } from './quota/device-buckets.ts'
import type { EvaluationQuestion } from './quota/quota.ts'
import type { QuotaTable } from './quota/quota-table.ts'
import { assertServed, findRequested, placeToQuotaKey, type ServiceInit } from './requested.ts'
import { leafToPartSecret } from './secrets/part-secret.ts'
import type { Grip } from './secrets/seed-keeper.ts'
import type { Shard } from './seeds/shard.ts'
import type { SheetTree } from './sheets/sheet-tree.ts'

/** Multiplications between two yields: some milliseconds. An event loop that is 25 ms late answers BUSY to everybody. */
const SLICE = 16
const NONCE = utf8('geotrace/nonce')
const RANDOM_BYTES = 32

type ShareWeights = ReturnType<typeof rankToWeights>

interface EvaluateServiceInit extends ServiceInit {
  group: Group
  /** Batch classes of the manifest. */
  classes: readonly number[]
  random: Random
  quota: Pick<QuotaTable<EvaluationQuestion>, 'charge'>
  /** The buckets that tokens open. */
  devices: Pick<DeviceBuckets, 'charge'>
  checkToken: TokenCheck
  counts: Pick<EvaluationCounts, 'add'>
}

export function evaluateService(init: EvaluateServiceInit): Handler {
  const { group, classes, clock, signer, random, keeper, quota, devices, checkToken, counts } = init
  return async (bytes, from) => {
    const request = decodeEvaluateRequest(bytes)
    const { shard, epochs, elements, token } = request
    const batch = elements[0]!.length
    if (!classes.includes(batch)) throw batchRefused(batch)
    assertElements(group, elements.flat(), bytes)
    const nowMs = clock.now()
    const requester = assertServed(init, from)
    // The block of 80 minutes is the epoch.
    const blocks = epochs.map((n) => ({ size: EPOCH_MIN, n }))
    const found = findRequested(init, request, blocks, epochs, nowMs)
    const { firstEpoch, replicas, threshold, evaluationsPerShardEpoch: ceiling } = found.certified.roster
    const weights = rankToWeights(replicas, threshold, found.shard.rank)
    const places = weights.map(({ part }) => ({ shard, firstEpoch, part }))
    const grip = keeper.grip(places, epochs, nowMs)
    try {
      const quotaKey = placeToQuotaKey(keeper, places[0]!)
      if (token !== undefined) await devices.charge(checkToken(token, nowMs), { epochs, batch }, nowMs)
      const isPaid = token !== undefined
      await quota.charge({ ...requester, isPaid, quotaKey, shard, epochs, batch, ceiling }, nowMs)
      counts.add(shard, epochs, batch)
      const answers: EpochEvaluation[] = []
      for (const [i, epoch] of epochs.entries()) {
        const key = toShare(group, grip, weights, epoch)
        const { evaluated, proof } = await evaluate(group, key, elements[i]!, toNonce(group, key, random, bytes, epoch))
        const partKeys = request.wantsKeys ? toPartKeys(found.shard, found.tree, epoch - firstEpoch) : undefined
        answers.push({ evaluated: [...evaluated], proof, partKeys })
      }
      const unsigned = encodeUnsignedEvaluation({ time: nowMs, epochs: answers })
      return concatBytes(unsigned, signContent(signer, 'geotrace/evaluation', answerContent(bytes, unsigned)))
    } finally {
      grip.end()
    }
  }
}

/** The share of this replica in an epoch, from the leaves of its parts. `evaluate` wipes it. */
function toShare(group: Group, grip: Grip, weights: ShareWeights, epoch: number): EvaluationKey {
  const secrets = new Map(
    weights.map(({ part }, i) => {
      const leaf = grip.leaf(i, epoch)
      const secret = leafToPartSecret(group, leaf)
      leaf.fill(0)
      return [part, secret]
    }),
  )
  const share = secretsToShare(group, weights, (part) => secrets.get(part)!)
  for (const secret of secrets.values()) secret.fill(0)
  return { secret: share, public: group.multiplyBase(share) }
}

/**
 * The nonce of a proof. A nonce of two proofs reveals the share. So it also depends on the share and on the request, and a
 * copied or predictable generator repeats at most a whole proof.
 */
function toNonce(
  group: Group,
  { secret }: EvaluationKey,
  random: Random,
  request: Uint8Array,
  epoch: number,
): Uint8Array {
  const drawn = random(RANDOM_BYTES)
  const wide = group.sha512(NONCE, secret, drawn, byteWriter(4).u32(epoch).finish(), request)
  const nonce = group.scalarReduce(wide)
  for (const bytes of [drawn, wide]) bytes.fill(0)
  return nonce
}

async function evaluate(
  group: Group,
  key: EvaluationKey,
  elements: readonly Uint8Array[],
  nonce: Uint8Array,
): Promise<Evaluation> {
  try {
    const steps = evaluating(group, key, elements, nonce)
    for (let done = 1; ; done++) {
      const step = steps.next()
      if (step.done === true) return step.value
      if (done % SLICE === 0) await setImmediate()
    }
  } finally {
    key.secret.fill(0)
  }
}

/** The keys of all parts for the line `index` of the sheet, and its path. */
function toPartKeys({ parts }: Shard, tree: SheetTree, index: number): PartKeys {
  const at = index * ELEMENT_BYTES
  return {
    keys: parts.map(({ lines }) => lines!.lines.slice(at, at + ELEMENT_BYTES)),
    path: tree.path(index),
  }
}
