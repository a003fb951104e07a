/**
 * Asks the replicas of a shard, one after the other in a drawn order, until one gives salts that its sheet holds.
 * PROTOCOL.md §5.4, §7.1. After a refusal, a timeout or a lie the next replica is asked.
 */
import { isFederationError } from '@geotrace/core-wasm'
import {
  answerToSalts,
  bytesToHex,
  encodeSaltRequest,
  hashToRosterName,
  SALT_PROTOCOL,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import { submitEvidence } from './evidence.ts'
import type { WantedSalt } from './plan.ts'
import type { Asked, SecretAsker, SecretRequest } from './salting.ts'
import { shuffle } from './shuffle.ts'

/** Throws ABORTED and programming mistakes. Whatever a salt node does wrong costs one request only. */
export async function requestSalts(
  { certified, shard, wanted: blocks }: SecretRequest<WantedSalt>,
  asker: SecretAsker,
): Promise<Asked> {
  const { session, random, liars } = asker
  let [requests, lies] = [0, 0]
  let retryAfterMs: number | undefined
  const frame = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks: [...blocks] })
  const replicas = shuffle(shardToReplicas(certified.roster, shard), random)
  for (const replica of replicas) {
    if (liars.has(bytesToHex(replica.key))) continue
    let answer: Uint8Array | undefined
    try {
      requests++
      answer = await session.request(replica, SALT_PROTOCOL, frame)
      const { salts, time } = answerToSalts(answer, certified, shard, blocks, replica.key)
      return { secrets: salts, times: [time], requests, lies, retryAfterMs }
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      if (isFederationError(error, 'PEER_LIED')) {
        lies++
        liars.add(bytesToHex(replica.key))
        if (answer !== undefined) {
          await submitEvidence(asker, certified, { kind: 'answer', key: replica.key, request: frame, answer })
        }
      }
      if (isFederationError(error, 'QUOTA_SPENT') || isFederationError(error, 'BUSY')) {
        const { retryAfterMs: pause } = error.data as { retryAfterMs: number }
        retryAfterMs = Math.min(retryAfterMs ?? pause, pause)
      }
    }
  }
  return { secrets: undefined, times: [], requests, lies, retryAfterMs }
}
