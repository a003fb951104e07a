/**
 * Imported fixes that are too old to be matched, because the salts of their hours are gone. README "Importing tracks". They
 * teach home, and they show in the diary and on the map. The spread counts them like other fixes. Throws STORAGE_CORRUPT.
 *
 *  history/<block>  { u8 json[] }   the fix: only the most accurate of its 5-minute block is kept
 */
import type { Fix } from '@geotrace/core-wasm'
import { decodeRecord, encodeRecord, FAMILIES, numberedKey } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'
import type { DiaryEntry, DiarySource } from './diary-entry.ts'
import { fixBlockEnd, timeToFixBlock } from './fix-block.ts'
import { isBetter, readFix } from './fix-states.ts'
import { HISTORY_MS } from './retention.ts'

/** `block-taken`: the diary has a fix of this block. `not-better`: the history has one that is at least as accurate. */
export async function keepInHistory(
  storage: Storage,
  fix: Fix,
): Promise<StorageOperation[] | 'block-taken' | 'not-better'> {
  const block = timeToFixBlock(fix.at)
  if ((await readFix(storage, block)) !== undefined) return 'block-taken'
  const key = numberedKey(FAMILIES.history, block)
  const known = await storage.get(key)
  if (known !== undefined && !isBetter(fix, decodeRecord<Fix>(key, known))) return 'not-better'
  return [put(key, encodeRecord(fix))]
}

/** Oldest first, as stored: also what redaction hides by now. */
export async function* readHistory(storage: Storage): AsyncIterable<[key: string, fix: Fix]> {
  for await (const [key, bytes] of storage.range(FAMILIES.history)) yield [key, decodeRecord<Fix>(key, bytes)]
}

/**
 * All fixes of the device, oldest first: `diary`, and the history without what redaction drops. The
 * slip of the spread reads both by itself (bucket.ts), because it draws only from fixes that `decide` releases.
 */
export async function* withHistory(
  { storage, now, hideBefore, decide }: DiarySource,
  diary: AsyncIterable<DiaryEntry>,
): AsyncIterable<DiaryEntry> {
  const history: DiaryEntry[] = []
  for await (const [, fix] of readHistory(storage)) {
    const nowMs = now()
    const isHidden = fixBlockEnd(timeToFixBlock(fix.at)) <= Math.max(hideBefore(), nowMs - HISTORY_MS)
    if (!isHidden && decide(fix, nowMs) !== 'drop') history.push({ ...fix, state: 'history' })
  }
  for await (const entry of diary) {
    while (history.length > 0 && history[0]!.at < entry.at) yield history.shift()!
    yield entry
  }
  yield* history
}
