/**
 * A4: the central database and the seeds of t replicas, while the secrets exist. Everything can be read, and the number says
 * how much work that is. It is the honest limit of the design.
 */
import { type Attack, exactly, type Figure } from '../lab/attack.ts'
import { evaluateAlone } from '../lab/evaluations.ts'
import type { Lab } from '../lab/lab.ts'
import { CELLS_OF_REGION, locate, type SecretOf, visitedCells, worldToCells } from '../lab/map.ts'
import { blockIsIn, partScalars, plainSecrets } from '../lab/seeds.ts'

/** Cells that the attacker sweeps; the work for a region follows from their number. */
const SWEPT = 300
const MICROSECONDS_PER_HOUR = 3.6e9

export const enoughNodes: Attack = {
  name: 'A4',
  title: 'The database and the seeds of t replicas',
  attacker: 'the central database and the seeds of t replicas of the shard, before the epoch ends',
  meaning: 'The hours of one core that open a region for one epoch and one layer. Nothing else limits this attacker.',
  limit:
    'The hours are CPU time of this machine in JavaScript and Wasm; native code on many cores is faster by orders of magnitude. The number of independent operators is the only protection.',
  isQuick: true,
  run: sweep,
}

async function sweep(lab: Lab): Promise<Figure> {
  const { core, world, epoch, rows } = lab
  const visited = visitedCells(lab)
  const secretOf = lab.setting.parameters.salting === 'plain' ? plainSecrets(lab, epoch, visited) : await byKey(lab)
  const ofEpoch: SecretOf = (cell, size, n) => (blockIsIn(epoch, size, n) ? secretOf?.(cell, size, n) : undefined)
  const all = rows.filter((row) => row.epoch === epoch).length
  const located = (100 * locate(lab, visited, ofEpoch).size) / all
  const cells = [...worldToCells(core, world)[0]].slice(0, SWEPT)
  const before = process.cpuUsage()
  for (const cell of cells) core.riskHash(ofEpoch(cell, 80, epoch)!, cell, 80, epoch)
  const { user, system } = process.cpuUsage(before)
  const value = ((user + system) / cells.length / MICROSECONDS_PER_HOUR) * CELLS_OF_REGION
  const more = { 'hashes of the epoch located, %': located, 'cells timed': cells.length }
  return { value, unit: 'core-hours', gate: exactly(located, 100, '% of the hashes located'), more }
}

/** K, the sum of the secrets of all parts, which t replicas know together. */
async function byKey(lab: Lab): Promise<SecretOf> {
  const key = (await partScalars(lab, lab.epoch)).reduce(lab.group.scalarAdd)
  return (cell) => evaluateAlone(lab, key, cell)
}
