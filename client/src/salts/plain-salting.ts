/** Plain salting: one salt for each (shard, time block), asked of one replica. PROTOCOL.md §5.1, §7.1. */
import { neededToSalts, planRequests, type WantedSalt } from './plan.ts'
import { requestSalts } from './salt-request.ts'
import type { ClientSalting } from './salting.ts'

export const plainSalting: ClientSalting<WantedSalt> = {
  kind: 'plain',
  wanted(needed, rosterOf, core) {
    if (needed.salting !== 'plain') throw new TypeError(`"salting" expected plain, got ${needed.salting}`)
    return neededToSalts(needed, rosterOf, core.regionToShard)
  },
  plan: planRequests,
  ask: requestSalts,
}
