/** The cells where people really were. Attacks that try these cells only know the truth that they look for. */
import type { Cell } from '@geotrace/core-wasm'
import type { Lab } from './lab.ts'

/** Distinct cells of all layers. */
export function visitedCells({ core, world }: Pick<Lab, 'core' | 'world'>): Cell[] {
  const fixes = world.people.flatMap((person) => person.fixes)
  return [...new Set(fixes.flatMap(({ lat, lng }) => core.fixToCells(lat, lng)))]
}
