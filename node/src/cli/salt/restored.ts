/**
 * A mark in the directory of a node that came from a backup. PROTOCOL.md §4.6: one vote per operator and period, and
 * two are portable proof against it. A backup holds the keys but not the votes given since, so a restored node gives
 * none until the periods that its former self may have voted in are over.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EPOCH_MS, type Manifest } from '@geotrace/core-wasm/wire'

const MARK = 'restored'
/** The period that ran, and the one whose roster may have been voted on already. */
const PERIODS = 2

export function markRestored(dir: string, nowMs: number): void {
  writeFileSync(join(dir, MARK), `${new Date(nowMs).toISOString()}\n`, { mode: 0o600 })
}

/** Unix ms until which no vote may be given; undefined when that is over or the node was never restored. */
export function abstainsUntil(
  dir: string,
  { parameters }: Pick<Manifest, 'parameters'>,
  nowMs: number,
): number | undefined {
  const path = join(dir, MARK)
  if (!existsSync(path)) return undefined
  const restoredMs = Date.parse(readFileSync(path, 'utf8').trim())
  // A mark that cannot be read abstains from now on: silence harms nobody.
  const fromMs = Number.isNaN(restoredMs) ? nowMs : restoredMs
  const untilMs = fromMs + PERIODS * parameters.periodEpochs * EPOCH_MS
  return nowMs < untilMs ? untilMs : undefined
}
