/**
 * The diary: the device's own fixes, one for each 5-minute block, the most accurate. It never leaves the device.
 * A fix waits until its block is closed and its salts are there; after that its block takes no other fix.
 */
import type { Fix } from '@geotrace/core-wasm'
import { BLOCK_SIZES_MIN, blockToState, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { decodeRecord, encodeRecord, FAMILIES, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'

export const FIX_BLOCK_MIN = BLOCK_SIZES_MIN[0]
const FIX_BLOCK_MS = FIX_BLOCK_MIN * MINUTE_MS

export function timeToFixBlock(at: number): number {
  return Math.floor(at / FIX_BLOCK_MS)
}

/** Unix ms at which a block closes. */
export function fixBlockEnd(block: number): number {
  return (block + 1) * FIX_BLOCK_MS
}

/** Whether no salt can be had any more for one of the time blocks that hold `at`; then the fix is lost whole. */
export function isBeyondWindow(at: number, nowMs: number): boolean {
  return BLOCK_SIZES_MIN.some((size) => blockToState(size, Math.floor(at / (size * MINUTE_MS)), nowMs) === 'too-old')
}

/** What makes `fix` its block's own, unless a better one stands there or the block is hashed already. */
export async function fixToOperations(
  storage: Storage,
  fix: Fix,
): Promise<StorageOperation[] | 'not-better' | 'block-taken'> {
  const block = timeToFixBlock(fix.at)
  const held = await readFix(storage, block)
  const kept = put(numberedKey(FAMILIES.fix, block), encodeRecord(fix))
  const waiting = numberedKey(FAMILIES.waiting, block)
  if (held === undefined) return [kept, put(waiting, new Uint8Array(0))]
  if ((await storage.get(waiting)) === undefined) return 'block-taken'
  return isBetter(fix, held) ? [kept] : 'not-better'
}

export async function readFix(storage: Storage, block: number): Promise<Fix | undefined> {
  const key = numberedKey(FAMILIES.fix, block)
  const bytes = await storage.get(key)
  return bytes === undefined ? undefined : decodeRecord<Fix>(key, bytes)
}

/** Fixes without hashes, oldest first. */
export async function readWaiting(storage: Storage): Promise<Fix[]> {
  const fixes: Fix[] = []
  for await (const [key] of storage.range(FAMILIES.waiting)) {
    const fix = await readFix(storage, keyToNumber(key))
    if (fix !== undefined) fixes.push(fix)
  }
  return fixes
}

/** The whole diary, oldest first. */
export async function* readDiary(storage: Storage): AsyncIterable<Fix> {
  for await (const [key, bytes] of storage.range(FAMILIES.fix)) yield decodeRecord<Fix>(key, bytes)
}

/** Too old to be salted: it stays in the diary but will never be deposited. */
export function loseFix(fix: Fix): StorageOperation {
  return del(numberedKey(FAMILIES.waiting, timeToFixBlock(fix.at)))
}

/** Redacted: nothing of it stays. */
export function dropFix(fix: Fix): StorageOperation[] {
  const block = timeToFixBlock(fix.at)
  return [FAMILIES.fix, FAMILIES.waiting, FAMILIES.hashes, FAMILIES.outbox].map((family) =>
    del(numberedKey(family, block)),
  )
}

export function equalFixes(a: Fix | undefined, b: Fix | undefined): boolean {
  return a?.at === b?.at && a?.lat === b?.lat && a?.lng === b?.lng && a?.accuracyM === b?.accuracyM
}

/** The first one stays on a tie; an unknown accuracy is worse than any. */
function isBetter(fix: Fix, held: Fix): boolean {
  return (fix.accuracyM ?? Number.POSITIVE_INFINITY) < (held.accuracyM ?? Number.POSITIVE_INFINITY)
}
