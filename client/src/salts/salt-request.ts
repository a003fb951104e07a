/**
 * Asks the replicas of a shard, one after the other in a drawn order, until one gives salts that its sheet holds.
 * PROTOCOL.md §5.4, §7.1. After a refusal, a timeout or a lie the next replica is asked.
 */
import { isFederationError, type Random } from '@geotrace/core-wasm'
import {
  answerToSalts,
  bytesToHex,
  encodeSaltRequest,
  hashToRosterName,
  SALT_PROTOCOL,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import type { Session } from '../dialers/dialer.ts'
import { submitEvidence } from './evidence.ts'
import type { PlannedRequest } from './plan.ts'
import { shuffle } from './shuffle.ts'

export interface SaltAsker {
  readonly session: Session
  readonly random: Random
  /** Keys (hex) of salt nodes that lied to this tracer, which does not ask them again. */
  readonly liars: Set<string>
}

export interface Asked {
  /** In the order of the request's blocks; undefined when no replica answered. */
  salts: Uint8Array[] | undefined
  /** The answering node's clock, Unix ms. */
  time: number | undefined
  requests: number
  lies: number
  /** The shortest pause that a node asked for (QUOTA_SPENT, BUSY). */
  retryAfterMs: number | undefined
}

/** Throws ABORTED and programming mistakes. Whatever a salt node does wrong costs one request only. */
export async function requestSalts({ certified, shard, blocks }: PlannedRequest, asker: SaltAsker): Promise<Asked> {
  const { session, random, liars } = asker
  const asked: Asked = { salts: undefined, time: undefined, requests: 0, lies: 0, retryAfterMs: undefined }
  const frame = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks })
  const replicas = shuffle(shardToReplicas(certified.roster, shard), random)
  for (const replica of replicas) {
    if (liars.has(bytesToHex(replica.key))) continue
    let answer: Uint8Array | undefined
    try {
      asked.requests++
      answer = await session.request(replica, SALT_PROTOCOL, frame)
      const { salts, time } = answerToSalts(answer, certified, shard, blocks, replica.key)
      return { ...asked, salts, time }
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      if (isFederationError(error, 'PEER_LIED')) {
        asked.lies++
        liars.add(bytesToHex(replica.key))
        if (answer !== undefined) {
          await submitEvidence(asker, certified, { kind: 'answer', key: replica.key, request: frame, answer })
        }
      }
      if (isFederationError(error, 'QUOTA_SPENT') || isFederationError(error, 'BUSY')) {
        const { retryAfterMs } = error.data as { retryAfterMs: number }
        asked.retryAfterMs = Math.min(asked.retryAfterMs ?? retryAfterMs, retryAfterMs)
      }
    }
  }
  return asked
}
