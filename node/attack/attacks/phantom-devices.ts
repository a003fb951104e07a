/**
 * A19: an authority with any number of phantom devices. Each has an address of its own. The number follows from what one
 * device gets at once and from the refill of its budget; the ceiling of a node for each shard and epoch bounds them all.
 */
import { DAY_MS, EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import type { Attack, Figure } from '../lab/attack.ts'
import { budgetOf, evaluateUntilSpent } from '../lab/evaluations.ts'
import type { Lab } from '../lab/lab.ts'
import { CELLS_OF_REGION, worldToCells } from '../lab/map.ts'

const ADDRESS = 40

export const phantomDevices: Attack = {
  name: 'A19',
  title: 'An authority with phantom devices opens a region',
  attacker: 'the central database, and as many devices and addresses as money buys',
  meaning: 'The device-days that open a region for one day in one layer.',
  limit:
    'Tokens are not built, so a phantom costs an address and no enrolment, and one address counts as D devices. Nobody can tell a phantom from a phone. The ceiling of evaluations for each shard and epoch bounds everybody together; an authority that spends it keeps honest devices from syncing.',
  isQuick: false,
  run: estimate,
}

async function estimate(lab: Lab): Promise<Figure> {
  const { setting, core, world, epoch, certified } = lab
  if (setting.parameters.salting === 'plain') return { value: 1, unit: 'device-days', more: { 'requests a day': 8 } }
  const { replicas, threshold, evaluationsPerShardEpoch } = certified.roster
  const cells = [...worldToCells(core, world)[0]]
  const { keys } = await evaluateUntilSpent(lab, { cells, epoch, address: ADDRESS })
  const perDay = keys.size + budgetOf(certified.roster, DAY_MS) - budgetOf(certified.roster)
  const ceiling = (evaluationsPerShardEpoch * replicas) / threshold / CELLS_OF_REGION
  const more = {
    'cells at once': keys.size,
    'cells a day, with the refill': perDay,
    'the ceiling opens of an epoch, %': 100 * ceiling,
  }
  return { value: (CELLS_OF_REGION * EPOCHS_PER_DAY) / perDay, unit: 'device-days', more }
}
