/**
 * Asks the replicas of a shard, one after the other in the device's order, until one gives salts that its sheet holds.
 * PROTOCOL.md §5.4, §7.1. After a refusal, a timeout or a lie the next replica is asked.
 */
import { isFederationError } from '@geotrace/core-wasm'
import { answerToSalts, bytesToHex, encodeSaltRequest, hashToRosterName, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { submitEvidence } from './evidence.ts'
import type { WantedSalt } from './plan.ts'
import { replicasInOrder } from './replica-order.ts'
import { type Asked, noteRefusal, type SecretAsker, type SecretRequest } from './salting.ts'

/** Throws ABORTED and programming mistakes. Whatever a salt node does wrong costs one request only. */
export async function requestSalts(
  { certified, shard, wanted: blocks }: SecretRequest<WantedSalt>,
  asker: SecretAsker,
): Promise<Asked> {
  const { session, secrets, liars, away } = asker
  const tally = { requests: 0, lies: 0, retryAfterMs: undefined as number | undefined, padded: 0 }
  const frame = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks: [...blocks] })
  for (const replica of replicasInOrder(certified, shard, secrets.device, liars, away)) {
    let answer: Uint8Array | undefined
    try {
      tally.requests++
      answer = await session.request(replica, SALT_PROTOCOL, frame)
      const { salts, time } = answerToSalts(answer, certified, shard, blocks, replica.key)
      return { ...tally, secrets: salts, times: [time] }
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      if (isFederationError(error, 'PEER_LIED')) {
        tally.lies++
        liars.add(bytesToHex(replica.key))
        if (answer !== undefined) {
          await submitEvidence(asker, certified, { kind: 'answer', key: replica.key, request: frame, answer })
        }
      }
      noteRefusal(error, replica, tally, asker)
    }
  }
  return { ...tally, secrets: undefined, times: [] }
}
