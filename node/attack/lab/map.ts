/**
 * Putting stored hashes back on the map. An attacker who knows the secret of a cell and epoch computes the hashes of all 31
 * blocks and looks for them in the database. Rows have their block size in clear, so the 80-minute block is tried first.
 */
import type { Cell, Core } from '@geotrace/core-wasm'
import { bytesToHex, EPOCH_MIN, epochToBlocks } from '@geotrace/core-wasm/wire'
import type { StoredRow } from './database.ts'
import type { Lab } from './lab.ts'
import type { Scene } from './scene.ts'

/** Cells of resolution 12 in a region, and those of one layer only: 7^8. */
export const CELLS_OF_REGION = 5_764_801

/** The secret for the hash of a cell and a block; undefined when the attacker does not have it. */
export type SecretOf = (cell: Cell, size: number, n: number) => Uint8Array | undefined

/** The distinct cells of each layer that the attacker considers, the most popular first. */
export function worldToCells(
  core: Pick<Core, 'fixToCells'>,
  { area }: Scene,
): readonly [Set<Cell>, Set<Cell>, Set<Cell>] {
  const layers = [new Set<Cell>(), new Set<Cell>(), new Set<Cell>()] as const
  for (const { lat, lng } of area) {
    const cells = core.fixToCells(lat, lng)
    for (const [i, layer] of layers.entries()) layer.add(cells[i]!)
  }
  return layers
}

/** The rows whose cell the attacker finds, each with its cell. */
export function locate(
  { core, rows }: Pick<Lab, 'core' | 'rows'>,
  cells: Iterable<Cell>,
  secretOf: SecretOf,
): Map<StoredRow, Cell> {
  const stored = new Map<string, StoredRow[]>()
  for (const row of rows) stored.set(row.hash, [...(stored.get(row.hash) ?? []), row])
  const found = new Map<StoredRow, Cell>()
  const epochs = [...new Set(rows.map(({ epoch }) => epoch))]
  const tryBlock = (cell: Cell, size: number, n: number): boolean => {
    const secret = secretOf(cell, size, n)
    const hits = secret === undefined ? undefined : stored.get(bytesToHex(core.riskHash(secret, cell, size, n)))
    for (const row of hits ?? []) found.set(row, cell)
    return hits !== undefined
  }
  for (const cell of cells) {
    for (const epoch of epochs) {
      if (!tryBlock(cell, EPOCH_MIN, epoch)) continue
      for (const { size, n } of epochToBlocks(epoch)) tryBlock(cell, size, n)
    }
  }
  return found
}

/** Distinct cells of all layers where people really were. Attacks that try these only know the truth that they look for. */
export function visitedCells({ core, world }: Pick<Lab, 'core' | 'world'>): Cell[] {
  const fixes = world.people.flatMap((person) => person.fixes)
  return [...new Set(fixes.flatMap(({ lat, lng }) => core.fixToCells(lat, lng)))]
}
