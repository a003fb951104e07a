/**
 * The mark in the directory of a peer that was restored from a backup. PROTOCOL.md §4.6 allows one vote per operator and
 * period; two votes are proof against the operator. A backup holds the keys but not the later votes. So a restored peer
 * abstains until the periods are over in which it may have voted before.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EPOCH_MS, type Manifest } from '@geotrace/core-wasm/wire'
import type { NewFile } from '../../platform/atomic-file.ts'

const MARK = 'restored'
/** The current period, and the next one, on whose roster the node may have voted already. */
const PERIODS = 2

/** The mark as a file. It replaces the mark of an earlier restore. */
export function restoredMark(dir: string, nowMs: number): NewFile {
  return { path: join(dir, MARK), content: `${new Date(nowMs).toISOString()}\n`, replaces: true }
}

/** Whether the directory came from a backup of its keys. */
export function wasRestored(dir: string): boolean {
  return existsSync(join(dir, MARK))
}

/** Unix ms until which the peer abstains; undefined when it may vote. */
export function abstainsUntil(
  dir: string,
  { parameters }: Pick<Manifest, 'parameters'>,
  nowMs: number,
): number | undefined {
  const path = join(dir, MARK)
  if (!existsSync(path)) return undefined
  const restoredMs = Date.parse(readFileSync(path, 'utf8').trim())
  // An unreadable mark counts from now on, because an abstention does no harm.
  const fromMs = Number.isNaN(restoredMs) ? nowMs : restoredMs
  const untilMs = fromMs + PERIODS * parameters.periodEpochs * EPOCH_MS
  return nowMs < untilMs ? untilMs : undefined
}
