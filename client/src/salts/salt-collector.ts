/**
 * Collects the salts of a sync in the device's memory: all requests of a round at once, each salt asked once. PROTOCOL.md
 * §5.4, §7.1. Throws ABORTED.
 */

import type { Clock } from '@geotrace/core-wasm'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import type { SyncTime } from '../clock/sync-time.ts'
import { isBeyondWindow } from '../diary/fix-block.ts'
import type { SyncProgress, SyncResult } from '../sync-result.ts'
import type { FixSalts } from './hashing.ts'
import { type PlannedRequest, planRequests, type WantedSalt } from './plan.ts'
import type { SaltKeeper } from './salt-keeper.ts'
import { type Asked, requestSalts, type SaltAsker } from './salt-request.ts'

/** A node's clock may be ahead by this much. Fixes so close to the edge of the window are asked for in a second round. */
const EDGE_MS = MINUTE_MS

interface SaltCollector extends SaltAsker {
  readonly clock: Clock
  readonly time: SyncTime
  readonly keeper: SaltKeeper
  readonly progress: (progress: SyncProgress) => void
  readonly result: Pick<SyncResult, 'saltsReused' | 'saltsAsked' | 'saltRequests' | 'nodesLied'>
}

/** Unix ms from which the salts that are missing afterwards may be asked for again; 0 when no node named a time. */
export async function collectSalts(collector: SaltCollector, needs: readonly FixSalts[]): Promise<number> {
  const { clock, keeper, result } = collector
  const nowMs = clock.now()
  const progress = { phase: 'salts' as const, done: 0, of: 0 }
  const pauses = [0]
  const reused = new Set<string>()
  const fresh = new Set<string>()
  const isEdge = ({ fix }: FixSalts) => isBeyondWindow(fix.at, nowMs + EDGE_MS)
  for (const round of [needs.filter((need) => !isEdge(need)), needs.filter(isEdge)]) {
    const wanted = round.flatMap((need) => (need.wanted.includes(undefined) ? [] : (need.wanted as WantedSalt[])))
    const missing = wanted.filter((salt) => keeper.get(salt.name) === undefined)
    for (const { name } of wanted) if (keeper.get(name) !== undefined && !fresh.has(name)) reused.add(name)
    for (const [request, answer] of await askAll(collector, planRequests(missing), progress)) {
      result.saltRequests += answer.requests
      result.nodesLied += answer.lies
      result.saltsAsked += answer.salts?.length ?? 0
      answer.salts?.forEach((salt, k) => {
        keeper.keep(request.blocks[k]!, salt)
        fresh.add(request.blocks[k]!.name)
      })
      if (answer.salts === undefined && answer.retryAfterMs !== undefined) pauses.push(nowMs + answer.retryAfterMs)
      if (answer.time !== undefined) collector.time.addNode(answer.time)
    }
  }
  result.saltsReused = reused.size
  return Math.max(...pauses)
}

function askAll(
  collector: SaltCollector,
  plan: readonly PlannedRequest[],
  progress: SyncProgress,
): Promise<[PlannedRequest, Asked][]> {
  progress.of += plan.length
  collector.progress({ ...progress })
  return Promise.all(
    plan.map(async (request): Promise<[PlannedRequest, Asked]> => {
      const answer = await requestSalts(request, collector)
      progress.done++
      collector.progress({ ...progress })
      return [request, answer]
    }),
  )
}
