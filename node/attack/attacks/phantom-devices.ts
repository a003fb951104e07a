/**
 * A19: an authority with any number of phantom devices, each enrolled and with the tokens of one day. The number follows from
 * what the tokens of one device open at once and from the refill of their buckets; the ceiling of a node for each shard and
 * epoch bounds them all. Without tokens a phantom needs an address of its own.
 */
import { DAY_MS, EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import { type Attack, atLeast, type Figure } from '../lab/attack.ts'
import { budgetOf, evaluateUntilSpent, tokenBudgetOf } from '../lab/evaluations.ts'
import type { Lab } from '../lab/lab.ts'
import { CELLS_OF_REGION, worldToCells } from '../lab/map.ts'

const ADDRESSES = { plain: 40, tokens: 41 }
/** The goal of the design. */
const DEVICE_DAYS_MIN = 60_000

export const phantomDevices: Attack = {
  name: 'A19',
  title: 'An authority with phantom devices opens a region',
  attacker: 'the central database, the issuer of tokens, and as many enrolled devices as it says there are',
  meaning: 'The device-days that open a region for one day in one layer, when every device pays by its tokens.',
  limit:
    'The authority issues the tokens, so phantoms cost it nothing, and nobody can tell a phantom from a phone. It can also sign more tokens than it says. The ceiling of evaluations for each shard and epoch bounds everybody together; an authority that spends it keeps honest devices from syncing. Requests without tokens are still charged to addresses, each of which counts as D devices.',
  isQuick: false,
  run: estimate,
}

async function estimate(lab: Lab): Promise<Figure> {
  const { setting, core, world, epoch, certified } = lab
  if (setting.parameters.salting === 'plain') return { value: 1, unit: 'device-days', more: { 'requests a day': 8 } }
  const { roster } = certified
  const { replicas, threshold, evaluationsPerShardEpoch } = roster
  const cells = [...worldToCells(core, world)[0]]
  const paid = await evaluateUntilSpent(lab, { cells, epoch, address: ADDRESSES.tokens, paysByTokens: true })
  const bare = await evaluateUntilSpent(lab, { cells, epoch, address: ADDRESSES.plain })
  const paidADay = paid.keys.size + tokenBudgetOf(roster, DAY_MS) - tokenBudgetOf(roster)
  const bareADay = bare.keys.size + budgetOf(roster, DAY_MS) - budgetOf(roster)
  const ceiling = (evaluationsPerShardEpoch * replicas) / threshold / CELLS_OF_REGION
  const value = (CELLS_OF_REGION * EPOCHS_PER_DAY) / paidADay
  const more = {
    'tokens of a device and day': roster.tokens?.perDay ?? 0,
    'cells at once': paid.keys.size,
    'cells a day, with the refill': paidADay,
    'address-days without tokens (D = 1)': (CELLS_OF_REGION * EPOCHS_PER_DAY) / bareADay,
    'the ceiling opens of an epoch, %': 100 * ceiling,
  }
  return { value, unit: 'device-days', more, gate: atLeast(value, DEVICE_DAYS_MIN, 'device-days') }
}
