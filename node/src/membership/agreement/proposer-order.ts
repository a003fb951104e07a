/**
 * The order in which operators propose. PROTOCOL.md §4.7. Pure.
 * The draw names the period, so that a failed period changes who proposes first.
 */
import { createHash } from 'node:crypto'
import { byteWriter, type Predecessor } from '@geotrace/core-wasm/wire'

/** The turn of an operator: its place in the order of H(previous ‖ u32 firstEpoch ‖ key). */
export function proposerTurn(
  { hash, operators }: Pick<Predecessor, 'hash' | 'operators'>,
  firstEpoch: number,
  operator: number,
): number {
  const period = byteWriter(4).u32(firstEpoch).finish()
  const draws = operators.map(({ key }) => createHash('sha256').update(hash).update(period).update(key).digest('hex'))
  return draws.filter((draw) => draw < draws[operator]!).length
}
