/**
 * The next batch of a deposit: which rows go, what else changes, and the frame. PROTOCOL.md §7.2. A dry run reads the same
 * and writes nothing; the preview is made of it. Call with the device's lock held.
 */
import {
  bytesToHex,
  DEPOSIT_WINDOW_MS,
  EPOCH_MS,
  type RowGroup,
  SYNC_ID_BYTES,
  type SyncKind,
} from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import { readDue } from '../device/own-report.ts'
import { addTotals } from '../device/totals.ts'
import { drop, type HashedEntry, readFix, readHashed, settle } from '../diary/fix-states.ts'
import type { FixRow } from '../diary/hashed-fix.ts'
import { readCursor } from '../exposures/marks.ts'
import { slipOfReport } from '../spread/slip-of-report.ts'
import type { Storage, StorageOperation } from '../storage/storage.ts'
import { type Batch, freeze, readFrozen, requestToBatch } from './batch.ts'
import { type DepositedRows, isFirstRowDeposited, openRows, readDeposited } from './deposited.ts'
import { rowsToGroups } from './row-groups.ts'
import { readTakeBacks } from './take-back.ts'

interface NextBatchInit {
  /** Epochs that the central peer refused as too new in this sync. */
  resting: ReadonlySet<number>
  /** The first request of a sync goes out in any case, for the marks. */
  evenIfEmpty: boolean
  /** The time is not proved: an empty request asks the central peer for it, before any row or report goes. */
  isTimeInDoubt?: boolean
  /** Freezes and changes nothing; the sync id of the frame is zero. */
  dryRun?: boolean
}

interface NextBatch {
  /** The frozen batch, else the next one; undefined when there is nothing to send. */
  batch: Batch | undefined
  /** The batch was frozen before. Outside a dry run the figures below are then 0. */
  isFrozen: boolean
  groups: RowGroup[]
  /** Hashes in `groups` that the central peer has not seen. */
  hashesNew: number
  /** Fixes that wait because home is unknown or the night is not over. */
  held: number
  /** Fixes dropped, because they lie in a home or zone that became known after they were hashed. */
  redacted: number
  /** Rows whose epoch takes no deposits any more. */
  expired: number
}

export async function nextBatch(device: Device, init: NextBatchInit): Promise<NextBatch> {
  const { storage } = device
  const { dryRun = false, isTimeInDoubt = false } = init
  const frozen = await readFrozen(storage)
  if (frozen !== undefined && !dryRun) return { ...emptySelection(), batch: frozen, isFrozen: true }
  const { operations, ...selection } = await selectRows(device, init.resting)
  const due = await readDue(storage)
  if (isTimeInDoubt && (selection.groups.length > 0 || due !== undefined)) {
    const empty = await toBatch(device, [], undefined, dryRun)
    await storage.batch(freeze(empty))
    return { ...emptySelection(), batch: empty, isFrozen: false }
  }
  if (selection.expired > 0) operations.push(await addTotals(storage, { rowsLost: selection.expired }))
  const isNeeded = selection.groups.length > 0 || due !== undefined || init.evenIfEmpty
  const report = due?.kind === 'code' && !dryRun ? await withSlip(device, due, operations) : due
  const batch = frozen ?? (isNeeded ? await toBatch(device, selection.groups, report, dryRun) : undefined)
  if (batch !== undefined && frozen === undefined) operations.push(...freeze(batch))
  if (operations.length > 0 && !dryRun) await storage.batch(operations)
  return { ...selection, batch, isFrozen: frozen !== undefined }
}

/** The report with the slip of the period. Its charge is written together with the frame. */
async function withSlip(
  device: Device,
  report: SyncKind & { kind: 'code' },
  operations: StorageOperation[],
): Promise<SyncKind> {
  const { slip, operations: charging } = await slipOfReport(device)
  operations.push(...charging)
  return { ...report, ...(slip && { slip }) }
}

async function toBatch(
  { storage, manifest, random, secrets }: Device,
  groups: RowGroup[],
  report: SyncKind = { kind: 'none' },
  dryRun: boolean,
): Promise<Batch> {
  const { generation, cursor } = await readCursor(storage)
  const syncId = dryRun ? new Uint8Array(SYNC_ID_BYTES) : random(SYNC_ID_BYTES)
  const request = { minute: 0, userSecret: secrets.user, syncId, report, generation, cursor, groups }
  return requestToBatch(request, manifest.parameters.syncRequestBytes)
}

type Selection = Omit<NextBatch, 'batch' | 'isFrozen'>

function emptySelection(): Selection {
  return { groups: [], hashesNew: 0, held: 0, redacted: 0, expired: 0 }
}

/** The rows that fit one request, and the transitions of the fixes that were found redacted or expired on the way. */
async function selectRows(
  { storage, clock, manifest, redactor }: Device,
  resting: ReadonlySet<number>,
): Promise<Selection & { operations: StorageOperation[] }> {
  const nowMs = clock.now()
  const selection = { ...emptySelection(), operations: [] as StorageOperation[] }
  const rows: FixRow[] = []
  const deposited = new Map<number, DepositedRows>()
  for (const entry of await readHashed(storage)) {
    const known = await readFix(storage, entry.block)
    const decision = known === undefined ? 'release' : redactor.toDecision(known.fix, nowMs)
    if (decision === 'drop') {
      selection.redacted++
      selection.operations.push(...(await drop(storage, entry.block)))
      continue
    }
    await readOpen(storage, entry, deposited)
    const { next, left, expired } = expire(entry, deposited, nowMs, clock.proof?.atLeastMs ?? 0)
    selection.expired += expired
    if (left.length < entry.open.length) {
      const isDeposited = await isFirstRowDeposited(storage, entry, deposited)
      selection.operations.push(...(await settle(storage, entry.block, left, isDeposited)))
    }
    if (decision === 'hold' && left.length > 0) selection.held++
    else rows.push(...next.filter((row) => !resting.has(row.epoch)))
  }
  const { epochs, operations } = await readTakeBacks(storage)
  selection.operations.push(...operations)
  for (const epoch of epochs.keys()) deposited.set(epoch, await readDeposited(storage, epoch))
  selection.groups = rowsToGroups({
    rows,
    deposited,
    takeBacks: new Map([...epochs].filter(([epoch]) => !resting.has(epoch))),
    frameBytes: manifest.parameters.syncRequestBytes.at(-1)!,
  })
  for (const { epoch, rows: taken } of selection.groups) {
    selection.hashesNew += taken.filter((row) => deposited.get(epoch)?.has(bytesToHex(row.hash)) !== true).length
  }
  return selection
}

async function readOpen(storage: Storage, { open }: HashedEntry, deposited: Map<number, DepositedRows>): Promise<void> {
  for (const epoch of open) if (!deposited.has(epoch)) deposited.set(epoch, await readDeposited(storage, epoch))
}

/**
 * The rows of an entry that may go now, the epochs that stay open, and how many rows came too late. A row is too late only
 * by proved time: one that is late by the device's clock alone waits.
 */
function expire(
  entry: HashedEntry,
  deposited: ReadonlyMap<number, DepositedRows>,
  nowMs: number,
  provedMs: number,
): { next: FixRow[]; left: number[]; expired: number } {
  const open = openRows(entry, deposited)
  const next = open.filter((row) => !takesNoDeposits(row.epoch, nowMs))
  const kept = open.filter((row) => !takesNoDeposits(row.epoch, provedMs))
  const left = entry.open.filter((epoch) => kept.some((row) => row.epoch === epoch))
  return { next, left, expired: open.length - kept.length }
}

function takesNoDeposits(epoch: number, nowMs: number): boolean {
  return (epoch + 1) * EPOCH_MS + DEPOSIT_WINDOW_MS <= nowMs
}
