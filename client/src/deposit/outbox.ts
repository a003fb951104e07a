/**
 * The outbox: finished hashes that wait for their deposit, and the frozen batch on its way. DESIGN.md §9.
 * Nothing leaves before the central peer acknowledged it; every step is one atomic batch, so a crash anywhere
 * repeats a step and loses none.
 */
import type { Fix } from '@geotrace/core-wasm'
import {
  bytesToHex,
  DEPOSIT_WINDOW_MS,
  EPOCH_MS,
  encodeSyncRequest,
  type RowGroup,
  type SyncKind,
  type SyncRequest,
} from '@geotrace/core-wasm/wire'
import { addTotals } from '../device/totals.ts'
import { dropFix, equalFixes, readFix, timeToFixBlock } from '../diary/diary.ts'
import { readCursor } from '../exposures/marks.ts'
import type { DepositDecision } from '../redaction/redaction.ts'
import {
  decodeHashedFix,
  encodeHashedFix,
  type FixRow,
  fixBlockToEpoch,
  type HashedFix,
  hashedFixToRows,
} from '../salts/hashed-fix.ts'
import { FAMILIES, KEYS, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { rowsToGroups } from './batch.ts'
import { type DepositedRows, isDeposited, readDeposited } from './deposited.ts'

/** A hashed fix some of whose rows are not acknowledged. */
export interface OutboxEntry extends HashedFix {
  /** Epochs of these rows. */
  open: number[]
}

export interface SelectInit {
  /** Size classes of the manifest, ascending. */
  classes: readonly number[]
  nowMs: number
  /** Epochs that the central peer refused as too new in this sync. */
  resting: ReadonlySet<number>
  toDecision: (fix: Fix) => DepositDecision
}

export interface FreezeInit extends SelectInit {
  userSecret: Uint8Array
  syncId: Uint8Array
  /** The first request of a sync goes out in any case, for the marks. */
  evenIfEmpty: boolean
}

export interface Selection {
  groups: RowGroup[]
  /** What the next freeze changes besides. */
  operations: StorageOperation[]
  /** Hashes in `groups` that the centre has not seen. */
  hashesNew: number
  /** Fixes held back: home is not known yet. */
  held: number
  /** Fixes dropped: they lie in a home or zone that became known after they were hashed. */
  redacted: number
  /** Rows whose epoch takes no deposits any more. */
  expired: number
}

/** Moves hashed fixes from waiting to the outbox. Fixes that changed meanwhile keep waiting. */
export async function storeHashed(
  storage: Storage,
  hashed: readonly { fix: Fix; record: HashedFix }[],
): Promise<Fix[]> {
  const operations: StorageOperation[] = []
  const stored: Fix[] = []
  for (const { fix, record } of hashed) {
    const block = timeToFixBlock(fix.at)
    const waits = (await storage.get(numberedKey(FAMILIES.waiting, block))) !== undefined
    if (!waits || !equalFixes(await readFix(storage, block), fix)) continue
    stored.push(fix)
    const first = fixBlockToEpoch(block)
    operations.push(
      del(numberedKey(FAMILIES.waiting, block)),
      put(numberedKey(FAMILIES.hashes, block), encodeHashedFix(record)),
      putOpen(block, [first, first + 1]),
    )
  }
  if (operations.length > 0) await storage.batch(operations)
  return stored
}

export async function readEntries(storage: Storage): Promise<OutboxEntry[]> {
  const entries: OutboxEntry[] = []
  for await (const [key, value] of storage.range(FAMILIES.outbox)) {
    const block = keyToNumber(key)
    const hashes = await storage.get(numberedKey(FAMILIES.hashes, block))
    if (hashes === undefined) continue
    const first = fixBlockToEpoch(block)
    const open = [first, first + 1].filter((_, i) => (((value[0] ?? 0) >> i) & 1) === 1)
    entries.push({ ...decodeHashedFix(block, hashes), open })
  }
  return entries
}

/** The batch on its way, if there is one. */
export async function readFrozen(storage: Storage): Promise<Uint8Array | undefined> {
  return storage.get(KEYS.frozen)
}

/** Reads what the next batch would hold and what has to be tidied up; changes nothing. */
export async function selectBatch(storage: Storage, init: SelectInit): Promise<Selection> {
  const selection: Selection = { groups: [], operations: [], hashesNew: 0, held: 0, redacted: 0, expired: 0 }
  const rows: FixRow[] = []
  const deposited = new Map<number, DepositedRows>()
  for (const entry of await readEntries(storage)) {
    const fix = await readFix(storage, entry.block)
    const verdict = fix === undefined ? 'release' : init.toDecision(fix)
    if (verdict === 'drop' && fix !== undefined) {
      selection.redacted++
      selection.operations.push(...dropFix(fix))
      continue
    }
    for (const epoch of entry.open) if (!deposited.has(epoch)) deposited.set(epoch, await readDeposited(storage, epoch))
    const open = openRows(entry, deposited)
    const next = open.filter((row) => !takesNoDeposits(row.epoch, init.nowMs))
    selection.expired += open.length - next.length
    const left = entry.open.filter((epoch) => next.some((row) => row.epoch === epoch))
    if (left.length < entry.open.length) selection.operations.push(putOpen(entry.block, left))
    if (verdict === 'hold' && left.length > 0) selection.held++
    else rows.push(...next.filter((row) => !init.resting.has(row.epoch)))
  }
  selection.groups = rowsToGroups(rows, deposited, init.classes.at(-1)!)
  for (const { epoch, rows: taken } of selection.groups) {
    selection.hashesNew += taken.filter((row) => deposited.get(epoch)?.has(bytesToHex(row.hash)) !== true).length
  }
  return selection
}

/**
 * Freezes the next batch on the disk, byte for byte as it will be sent, or nothing when it would be empty and need not
 * be sent. The caller made sure that none is frozen.
 */
export async function freezeBatch(storage: Storage, init: FreezeInit): Promise<Selection & { frame?: Uint8Array }> {
  const selection = await selectBatch(storage, init)
  const { groups, operations, expired } = selection
  const code = await storage.get(KEYS.code)
  if (expired > 0) operations.push(await addTotals(storage, { rowsLost: expired }))
  if (groups.length === 0 && code === undefined && !init.evenIfEmpty) {
    if (operations.length > 0) await storage.batch(operations)
    return selection
  }
  const report: SyncKind = code === undefined ? { kind: 'none' } : { kind: 'code', code }
  const { generation, cursor } = await readCursor(storage)
  const { userSecret, syncId, classes } = init
  const frame = encodeSyncRequest({ userSecret, syncId, report, generation, cursor, groups }, classes)
  await storage.batch([...operations, del(KEYS.code), put(KEYS.frozen, frame)])
  return { ...selection, frame }
}

/** Takes a batch back that the central peer will never acknowledge; its rows and its code go into the next one. */
export async function unfreezeBatch(storage: Storage, { report }: SyncRequest): Promise<void> {
  const code = report.kind === 'code' ? [put(KEYS.code, report.code)] : []
  await storage.batch([del(KEYS.frozen), ...code])
}

/** Rows of an entry in its open epochs that the centre does not know yet. */
export function openRows(entry: OutboxEntry, deposited?: ReadonlyMap<number, DepositedRows>): FixRow[] {
  return hashedFixToRows(entry).filter(
    (row) => entry.open.includes(row.epoch) && !isDeposited(deposited?.get(row.epoch), row.key, row.lags),
  )
}

/** The record of what is still open of a block; with nothing open it leaves the outbox, its hashes stay as links. */
export function putOpen(block: number, open: readonly number[]): StorageOperation {
  const key = numberedKey(FAMILIES.outbox, block)
  const first = fixBlockToEpoch(block)
  const mask = open.reduce((bits, epoch) => bits | (1 << (epoch - first)), 0)
  return mask === 0 ? del(key) : put(key, Uint8Array.of(mask))
}

function takesNoDeposits(epoch: number, nowMs: number): boolean {
  return (epoch + 1) * EPOCH_MS + DEPOSIT_WINDOW_MS <= nowMs
}
