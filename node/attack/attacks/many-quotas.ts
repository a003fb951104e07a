/** A5: the whole central database and the quotas of several devices, which try the most popular cells first. */
import type { Cell } from '@geotrace/core-wasm'
import type { Attack, Figure } from '../lab/attack.ts'
import { evaluateUntilSpent } from '../lab/evaluations.ts'
import type { Lab } from '../lab/lab.ts'
import { locate, visitedCells, worldToCells } from '../lab/map.ts'
import { blockIsIn } from '../lab/seeds.ts'

const DEVICES_MAX = 4
/** The addresses of this attack begin here; A1 has the first. */
const FIRST_ADDRESS = 10

export const manyQuotas: Attack = {
  name: 'A5',
  title: 'The database and the quotas of several devices, popular places first',
  attacker: 'the central database, a public map of the venues, and four devices at four addresses',
  meaning: 'The share of the hours in one layer that four devices put on the map.',
  limit:
    'A town of 1 km² with 3,300 cells is small: a city has thousands of times as many. Who watches a few chosen places needs no more than one device, under every setting.',
  isQuick: false,
  run: spend,
}

async function spend(lab: Lab): Promise<Figure> {
  const { core, world, epoch, rows } = lab
  if (lab.setting.parameters.salting === 'plain')
    return { value: 100, unit: '% located', more: { 'devices needed': 1 } }
  let cells: Cell[] = [...worldToCells(core, world)[0]]
  const layer = new Set(cells)
  const all = visitedCells(lab).filter((cell) => layer.has(cell)).length
  const known = new Map<Cell, Uint8Array>()
  const more: Record<string, number> = {}
  let value = 0
  for (let device = 1; device <= DEVICES_MAX; device++) {
    const { keys } = await evaluateUntilSpent(lab, { cells, epoch, address: FIRST_ADDRESS + device })
    for (const [cell, key] of keys) known.set(cell, key)
    cells = cells.filter((cell) => !known.has(cell))
    const found = locate({ core, rows }, known.keys(), (cell, size, n) =>
      blockIsIn(epoch, size, n) ? known.get(cell) : undefined,
    )
    value = (100 * new Set(found.values()).size) / all
    more[`located by ${device}, %`] = value
  }
  return { value, unit: '% located', more }
}
