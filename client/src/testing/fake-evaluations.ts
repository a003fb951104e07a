/**
 * The replicas of the fake federation under the salting `threshold`: they evaluate blinded elements with real shares, proofs
 * and part keys. PROTOCOL.md §5.9, §5.11. Throws MESSAGE_MALFORMED, BATCH_REFUSED, ROSTER_UNKNOWN, WRONG_SHARD,
 * BLOCK_TOO_OLD, BLOCK_TOO_NEW, QUOTA_SPENT.
 */

import { type TestShares, testSigner } from '@geotrace/core-wasm/testing'
import type { Manifest } from '@geotrace/core-wasm/wire'
import {
  batchRefused,
  decodeEvaluateRequest,
  type EpochEvaluation,
  equalBytes,
  FederationError,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import { assertOpen, type SaltWorld, toRoster } from './fake-salts.ts'

/** An epoch is a block of this size with the same number. */
const EPOCH_BLOCK_MIN = 80

/** Answers a request to the node of an operator. */
export function fakeEvaluations(
  world: SaltWorld & { readonly manifest: Manifest },
  shares: TestShares,
): (name: string, frame: Uint8Array) => Uint8Array {
  /** Elements that each node has evaluated. */
  const given = new Map<string, number>()

  function charge(name: string, count: number): void {
    const taken = (given.get(name) ?? 0) + count
    if (taken > world.quota) throw new FederationError('QUOTA_SPENT', 'later', { retryAfterMs: 60_000 })
    given.set(name, taken)
  }

  return (name, frame) => {
    const { roster, shard, epochs, elements } = decodeEvaluateRequest(frame)
    const batch = elements[0]!.length
    if (!world.manifest.parameters.evaluations.includes(batch)) throw batchRefused(batch)
    const signer = testSigner(`peer/${name}`)
    const blocks = epochs.map((epoch) => ({ size: EPOCH_BLOCK_MIN, n: epoch }))
    const certified = toRoster(world, roster, blocks)
    const rank = shardToReplicas(certified.roster, shard).findIndex(({ key }) => equalBytes(key, signer.key))
    if (rank < 0) throw new FederationError('WRONG_SHARD', 'not mine', { shard })
    assertOpen(blocks, world.clock.now())
    charge(name, epochs.length * batch)
    world.answered.push({ peer: name, salts: epochs.length * batch, roster: certified, epochs })
    const lie = (epoch: EpochEvaluation): EpochEvaluation => ({ ...epoch, evaluated: [...epoch.evaluated].reverse() })
    const bend = world.liars.has(name) ? lie : undefined
    return shares.answer(certified.roster, rank, frame, signer, world.clock.now(), bend)
  }
}
