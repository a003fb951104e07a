/**
 * A1: the whole central database and one client, inside the salt window. Under `plain` one request gives the salts of every
 * cell of the region. Under `threshold` each cell costs an evaluation, so the client tries the most popular cells first.
 */
import {
  type Block,
  blockToState,
  compareBlocks,
  EPOCH_MIN,
  epochToBlocks,
  epochToSecretSpan,
} from '@geotrace/core-wasm/wire'
import { type Attack, atMost, exactly, type Figure } from '../lab/attack.ts'
import { budgetOf, evaluateUntilSpent, tokenBudgetOf } from '../lab/evaluations.ts'
import { openIntruder, replicasOf } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { CELLS_OF_REGION, locate, type SecretOf, worldToCells } from '../lab/map.ts'

const PAYING_ADDRESS = 42

export const oneClient: Attack = {
  name: 'A1',
  title: 'One client and the whole central database, inside the salt window',
  attacker: 'a copy of the central database, and one device at one address',
  meaning: 'The share of the cells of a region and epoch that one device can read in the database.',
  limit:
    'The figure is for one address with one device. It multiplies with the shards, with the addresses, and with D, the devices for each address of the manifest (16 by default). A device that tests well-known places first locates a larger share of people than of cells.',
  isQuick: true,
  run: (lab) => (lab.setting.parameters.salting === 'plain' ? readAll(lab) : readSome(lab)),
}

/** One request for every open block of the epoch and the next: at most 62 of the 90 that a request may name. */
async function readAll(lab: Lab): Promise<Figure> {
  const { epoch, rows, core, world, clock } = lab
  const blocks: Block[] = [...epochToBlocks(epoch), ...epochToBlocks(epoch + 1)]
    .filter(({ size, n }) => blockToState(size, n, clock.now()) === 'open')
    .sort(compareBlocks)
  const intruder = await openIntruder(lab)
  const salts = await intruder.salts(replicasOf(lab)[0]!, blocks)
  await intruder.close()
  const byBlock = new Map(blocks.map(({ size, n }, i) => [`${size}/${n}`, salts?.[i]]))
  const secretOf: SecretOf = (_, size, n) => byBlock.get(`${size}/${n}`)
  const cells = worldToCells(core, world).flatMap((layer) => [...layer])
  const located = (100 * locate(lab, cells, secretOf).size) / rows.length
  const more = { 'hashes in the database': rows.length, 'hashes located, %': located, requests: 1 }
  // Every hash that the database holds was found, so every cell of the region can be read.
  return { value: located, unit: '% of the cells of a region', gate: exactly(located, 100, '%'), more }
}

async function readSome(lab: Lab): Promise<Figure> {
  const { core, world, epoch, rows } = lab
  const [popular] = worldToCells(core, world)
  const { keys } = await evaluateUntilSpent(lab, { cells: [...popular], epoch })
  const paid = await evaluateUntilSpent(lab, {
    cells: [...popular],
    epoch,
    address: PAYING_ADDRESS,
    paysByTokens: true,
  })
  const secretOf: SecretOf = (cell, size, n) =>
    Math.floor((n * size) / EPOCH_MIN) === epoch ? keys.get(cell) : undefined
  const value = (100 * keys.size) / CELLS_OF_REGION
  const located = (100 * locate(lab, keys.keys(), secretOf).size) / rows.length
  const { from, to } = epochToSecretSpan(epoch)
  const refilled = budgetOf(lab.certified.roster, to - from)
  const more = {
    'hashes in the database': rows.length,
    'hashes located, %': located,
    'cells tested': keys.size,
    'with the refill while the epoch is open, %': (100 * refilled) / CELLS_OF_REGION,
    'cells tested with the tokens of one device': paid.keys.size,
  }
  const bound = budgetOf(lab.certified.roster)
  const paidBound = tokenBudgetOf(lab.certified.roster)
  const gate = atMost(keys.size, bound, 'cells')
  const holds = gate.holds && paid.keys.size <= paidBound
  return {
    ...{ value, unit: '% of the cells of a region', more },
    gate: { rule: `${gate.rule}, at most ${paidBound} with tokens`, holds },
  }
}
