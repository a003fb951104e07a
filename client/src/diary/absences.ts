/**
 * Why five-minute blocks of the diary have no fix, as far as the device knows, so that a gap can state its cause. Causes only:
 * no record here holds a position. README "What is stored".
 *
 *  absence/<epoch>  { u8 cause[16] }   one for each block of the epoch; 0: no cause is known
 */
import { EPOCH_MIN } from '@geotrace/core-wasm/wire'
import { decodeRecord, FAMILIES, KEYS, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { epochToFixBlock, FIX_BLOCK_MIN, fixBlockEnd, fixBlockToEpoch, timeToFixBlock } from './fix-block.ts'

/**
 * In the order of their bytes 1 … 7. `paused`: by the user. `denied`, `unavailable`: the platform gave no position.
 * `inaccurate`: only positions that are too inaccurate came. `home`, `zone`, `speed`: redaction left the position out.
 */
export const ABSENCE_CAUSES = ['paused', 'denied', 'unavailable', 'inaccurate', 'home', 'zone', 'speed'] as const
export type AbsenceCause = (typeof ABSENCE_CAUSES)[number]

/** Blocks without a fix that have one cause. Unix ms, from a block's start to a block's end. */
export interface Absence {
  from: number
  until: number
  cause: AbsenceCause
}

const BLOCKS_PER_EPOCH = EPOCH_MIN / FIX_BLOCK_MIN

/** The operations that note `cause`, or that no cause is known, for the blocks `from` until before `until`. */
export async function noteAbsence(
  storage: Storage,
  from: number,
  until: number,
  cause: AbsenceCause | undefined,
): Promise<StorageOperation[]> {
  const byte = cause === undefined ? 0 : ABSENCE_CAUSES.indexOf(cause) + 1
  const operations: StorageOperation[] = []
  for (let epoch = fixBlockToEpoch(from); epochToFixBlock(epoch) < until; epoch++) {
    const key = numberedKey(FAMILIES.absence, epoch)
    const first = epochToFixBlock(epoch)
    const known = await storage.get(key)
    const causes = known?.slice() ?? new Uint8Array(BLOCKS_PER_EPOCH)
    causes.fill(byte, Math.max(0, from - first), until - first)
    if (causes.every((item, i) => item === (known?.[i] ?? 0))) continue
    operations.push(causes.some((item) => item > 0) ? put(key, causes) : del(key))
  }
  return operations
}

/** Oldest first, a pause under way included. `hideBefore`: Unix ms; older blocks are not shown. */
export async function readAbsences(storage: Storage, nowMs: number, hideBefore: number): Promise<Absence[]> {
  const paused = await notePause(storage, nowMs, hideBefore)
  const records = new Map<string, Uint8Array>()
  for await (const [key, causes] of storage.range(FAMILIES.absence)) records.set(key, causes)
  for (const operation of paused) if (operation.type === 'put') records.set(operation.key, operation.value)
  const absences: Absence[] = []
  for (const [key, causes] of [...records].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const first = epochToFixBlock(keyToNumber(key))
    for (const [i, byte] of causes.entries()) {
      const cause = ABSENCE_CAUSES[byte - 1]
      const until = fixBlockEnd(first + i)
      if (cause === undefined || until <= hideBefore) continue
      const before = absences.at(-1)
      const from = fixBlockEnd(first + i - 1)
      if (before?.cause === cause && before.until === from) before.until = until
      else absences.push({ from, until, cause })
    }
  }
  return absences
}

/** The diary states why the block of a refused fix is empty. Other reasons say nothing about the block. */
const CAUSES: Readonly<Record<string, AbsenceCause>> = {
  inaccurate: 'inaccurate',
  'accuracy-unknown': 'inaccurate',
  'redacted-home': 'home',
  'redacted-zone': 'zone',
  'redacted-speed': 'speed',
}

/** The operations that note why a fix was refused. `at`: of the fix, Unix ms. */
export async function noteRefusedFix(storage: Storage, at: number, reason: string): Promise<StorageOperation[]> {
  const block = timeToFixBlock(at)
  return CAUSES[reason] === undefined ? [] : noteAbsence(storage, block, block + 1, CAUSES[reason])
}

/** The operations that note a pause under way until now. None while recording goes on. */
export async function notePause(storage: Storage, nowMs: number, hideBefore: number): Promise<StorageOperation[]> {
  const bytes = await storage.get(KEYS.paused)
  if (bytes === undefined) return []
  const since = Math.max(decodeRecord<number>(KEYS.paused, bytes), timeToFixBlock(hideBefore))
  return noteAbsence(storage, since, timeToFixBlock(nowMs) + 1, 'paused')
}
