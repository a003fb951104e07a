/**
 * Collects the secrets of a sync in the device's memory: all requests of a round at once, each secret asked once.
 * PROTOCOL.md §5. Throws ABORTED.
 */

import type { Clock } from '@geotrace/core-wasm'
import { MINUTE_MS, type PeerAddress, shardToReplicas } from '@geotrace/core-wasm/wire'
import type { SyncTime } from '../clock/sync-time.ts'
import { isBeyondWindow } from '../diary/fix-block.ts'
import type { SyncProgress, SyncResult } from '../sync-result.ts'
import type { FixSecrets } from './hashing.ts'
import type { SaltKeeper } from './salt-keeper.ts'
import type { Asked, ClientSalting, SecretAsker, SecretRequest, WantedSecret } from './salting.ts'

/** A node's clock may be ahead by this much. Fixes so close to the edge of the window are asked for in a second round. */
const EDGE_MS = MINUTE_MS

interface SaltCollector extends Omit<SecretAsker, 'away'> {
  readonly salting: ClientSalting
  readonly clock: Clock
  readonly time: SyncTime
  readonly keeper: SaltKeeper
  /** Learns which members replicate the shards of this sync. */
  readonly relays: { noteReplicas(replicas: readonly PeerAddress[]): void }
  readonly progress: (progress: SyncProgress) => void
  readonly result: Pick<SyncResult, 'saltsReused' | 'saltsAsked' | 'saltRequests' | 'nodesLied' | 'evaluationsPadded'>
}

/** Unix ms from which the salts that are missing afterwards may be asked for again; 0 when no node named a time. */
export async function collectSalts(collector: SaltCollector, needs: readonly FixSecrets[]): Promise<number> {
  const { clock, keeper, salting, result } = collector
  const asker = { ...collector, away: new Set<string>() }
  const nowMs = clock.now()
  const progress = { phase: 'salts' as const, done: 0, of: 0 }
  const pauses = [0]
  const reused = new Set<string>()
  const fresh = new Set<string>()
  const isEdge = ({ fix }: FixSecrets) => isBeyondWindow(fix.at, nowMs + EDGE_MS)
  for (const round of [needs.filter((need) => !isEdge(need)), needs.filter(isEdge)]) {
    const wanted = round.flatMap((need) => (need.wanted.includes(undefined) ? [] : (need.wanted as WantedSecret[])))
    const missing = wanted.filter(({ name }) => keeper.get(name) === undefined)
    for (const { name } of wanted) if (keeper.get(name) !== undefined && !fresh.has(name)) reused.add(name)
    for (const [request, answer] of await askAll(asker, salting.plan(missing), progress)) {
      result.saltRequests += answer.requests
      result.nodesLied += answer.lies
      result.evaluationsPadded += answer.padded
      result.saltsAsked += answer.secrets?.length ?? 0
      answer.secrets?.forEach((secret, k) => {
        keeper.keep(request.wanted[k]!, secret)
        fresh.add(request.wanted[k]!.name)
      })
      if (answer.secrets === undefined && answer.retryAfterMs !== undefined) pauses.push(nowMs + answer.retryAfterMs)
      for (const time of answer.times) collector.time.addNode(time)
    }
  }
  result.saltsReused = reused.size
  return Math.max(...pauses)
}

function askAll(
  collector: SaltCollector & SecretAsker,
  plan: readonly SecretRequest[],
  progress: SyncProgress,
): Promise<[SecretRequest, Asked][]> {
  progress.of += plan.length
  collector.progress({ ...progress })
  return Promise.all(
    plan.map(async (request): Promise<[SecretRequest, Asked]> => {
      collector.relays.noteReplicas(shardToReplicas(request.certified.roster, request.shard))
      const answer = await collector.salting.ask(request, collector)
      progress.done++
      collector.progress({ ...progress })
      return [request, answer]
    }),
  )
}
