/**
 * Threshold salting: one key for each (cell, epoch), evaluated by t replicas on the blinded cell. PROTOCOL.md §5.7–§5.10.
 * Loaded with the first sync of a federation that uses it, because the group comes with it.
 */
import { evaluationVerifier, loadGroup } from '@geotrace/core-wasm/voprf'
import { boundedMap, type PartKeys } from '@geotrace/core-wasm/wire'
import { type EvaluationTools, requestKeys } from './evaluate-request.ts'
import { neededToKeys, planCells, type WantedKey } from './plan-cells.ts'
import type { ClientSalting } from './salting.ts'

/** Part keys of (roster, shard, epoch): five epochs of 50 shards, 577 bytes each in a federation of 3 of 5. */
const PART_KEYS_MAX = 250

/** `classes` are the batch classes of the manifest. Throws CORE_UNSUPPORTED. */
export async function thresholdSalting(classes: readonly number[]): Promise<ClientSalting<WantedKey>> {
  const group = await loadGroup()
  const partKeys = boundedMap<string, PartKeys>(PART_KEYS_MAX)
  const tools: EvaluationTools = { group, verifier: evaluationVerifier(group), classes, partKeys }
  return {
    kind: 'threshold',
    wanted(needed, rosterOf, core) {
      if (needed.salting !== 'threshold') throw new TypeError(`"salting" expected threshold, got ${needed.salting}`)
      return neededToKeys(needed, rosterOf, core)
    },
    plan: (missing) => planCells(missing, classes),
    ask: (request, asker) => requestKeys(request, asker, tools),
  }
}
