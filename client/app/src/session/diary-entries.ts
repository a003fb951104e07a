/** One accepted fix added to the diary that is shown, without reading the storage again. Pure. */
import type { DiaryEntry, Fix } from '@geotrace/client'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'

const BLOCK_MS = 5 * MINUTE_MS

/** The diary keeps one fix for each 5-minute block, so the new fix replaces the one of its block. Oldest first. */
export function withFix(entries: readonly DiaryEntry[], fix: Fix): DiaryEntry[] {
  const block = Math.floor(fix.at / BLOCK_MS)
  const toBlock = ({ at }: Fix): number => Math.floor(at / BLOCK_MS)
  let at = entries.length
  while (at > 0 && toBlock(entries[at - 1]!) >= block) at--
  const after = entries.slice(at).filter((entry) => toBlock(entry) !== block)
  return [...entries.slice(0, at), { ...fix, state: 'open' }, ...after]
}
