/**
 * Stores the central peer's reply to a batch. PROTOCOL.md §7.2. In one atomic write rows become deposited, refused groups
 * are salted again or counted lost, marks are stored, and the frozen batch is removed.
 */
import {
  equalBytes,
  type RefusedGroup,
  type RowGroup,
  type SyncKind,
  type SyncReply,
  type SyncRequest,
} from '@geotrace/core-wasm/wire'
import { putDue, readDue } from '../device/own-report.ts'
import { addTotals } from '../device/totals.ts'
import { fixBlockEnd, isBeyondWindow } from '../diary/fix-block.ts'
import { type HashedEntry, readHashed, saltAgain, settle } from '../diary/fix-states.ts'
import { countNewMarks, replyToOperations } from '../exposures/store-marks.ts'
import { KEYS } from '../storage/key-layout.ts'
import { del, type Storage, type StorageOperation } from '../storage/storage.ts'
import { deleteFrozen } from './batch.ts'
import { type DepositedRows, isFirstRowDeposited, openRows, readDeposited } from './deposited.ts'
import { standingToOperations } from './standing.ts'
import { addRows, putDeposited } from './store-deposited.ts'

type CodeKind = Extract<SyncKind, { kind: 'code' }>

interface Acknowledged {
  rowsDeposited: number
  rowsTakenBack: number
  rowsRefused: number
  /** The refused rows that are lost permanently. */
  rowsLost: number
  /** Fixes that are salted again under the roster in force. */
  fixesAgain: number
  marksNew: number
  /** Epochs refused as too new: not to be sent again in this sync. */
  resting: number[]
}

/** Call with the device's lock held. */
export async function acknowledge(
  storage: Storage,
  request: SyncRequest,
  reply: SyncReply,
  nowMs: number,
): Promise<Acknowledged> {
  const { groups } = request
  const refused = new Map(reply.refused.map((group) => [group.epoch, group]))
  const operations = [...deleteFrozen(), ...(await deleteSentCode(storage, request))]
  operations.push(...(await standingToOperations(storage, request.report, reply)))
  const deposited = await addDeposited(storage, groups, refused, operations)
  const fates = await settleEntries(storage, { groups, refused, deposited, nowMs }, operations)
  const taken = groups.filter((group) => !refused.has(group.epoch))
  const rowsDeposited = countRows(taken)
  operations.push(await addTotals(storage, { rowsDeposited, rowsLost: fates.rowsLost }))
  const marksNew = await countNewMarks(storage, request, reply)
  operations.push(...(await replyToOperations(storage, reply)))
  await storage.batch(operations)
  return {
    ...fates,
    rowsDeposited,
    rowsTakenBack: taken.reduce((sum, { rows }) => sum + rows.filter(({ lags }) => lags === 0).length, 0),
    rowsRefused: countRows(groups) - rowsDeposited,
    marksNew,
    resting: reply.refused.filter((group) => group.reason === 'too-new').map((group) => group.epoch),
  }
}

/** Takes back a batch that the central peer will never acknowledge. Its rows and its report go into the next one. */
export async function unfreeze(storage: Storage, { report }: SyncRequest): Promise<void> {
  await storage.batch([
    ...deleteFrozen(),
    ...(report.kind === 'code' || report.kind === 'withdraw' ? [putDue(report)] : []),
  ])
}

/** Deletes a waiting code that equals the sent code, because a user may type a code again after a lost reply. */
async function deleteSentCode(storage: Storage, { report }: SyncRequest): Promise<StorageOperation[]> {
  const due = await readDue(storage)
  const isSent = report.kind === 'code' && due?.kind === 'code' && isSameReport(report, due)
  return isSent ? [del(KEYS.due)] : []
}

function isSameReport(a: CodeKind, b: CodeKind): boolean {
  return equalBytes(a.code, b.code) && a.from === b.from && a.testDay === b.testDay
}

/** The acknowledged rows of the batch's epochs, with those of the groups that were taken now. */
async function addDeposited(
  storage: Storage,
  groups: readonly RowGroup[],
  refused: ReadonlyMap<number, RefusedGroup>,
  operations: StorageOperation[],
): Promise<Map<number, DepositedRows>> {
  const deposited = new Map<number, DepositedRows>()
  for (const { epoch, rows } of groups) {
    const known = await readDeposited(storage, epoch)
    const reason = refused.get(epoch)?.reason
    // An epoch that retention erased has no rows to take back.
    const changed = reason === undefined ? rows : reason === 'too-old' ? rows.filter(({ lags }) => lags === 0) : []
    const next = changed.length === 0 ? known : addRows(known, changed)
    deposited.set(epoch, next)
    if (next !== known) operations.push(putDeposited(epoch, next))
  }
  return deposited
}

interface Outcome {
  readonly groups: readonly RowGroup[]
  readonly refused: ReadonlyMap<number, RefusedGroup>
  readonly deposited: ReadonlyMap<number, DepositedRows>
  readonly nowMs: number
}

/** Moves every hashed fix to its next state. A hash is lost only when no fix is salted again for it. */
async function settleEntries(
  storage: Storage,
  outcome: Outcome,
  operations: StorageOperation[],
): Promise<{ fixesAgain: number; rowsLost: number }> {
  const again = new Set<string>()
  const lost = new Set<string>()
  let fixesAgain = 0
  for (const entry of await readHashed(storage)) {
    const fate = toFate(entry, outcome)
    for (const key of fate.lost) (fate.again ? again : lost).add(key)
    if (fate.again) {
      fixesAgain++
      operations.push(...(await saltAgain(storage, entry.block)))
    } else if (fate.open.length < entry.open.length) {
      const isDeposited = await isFirstRowDeposited(storage, entry, outcome.deposited)
      operations.push(...(await settle(storage, entry.block, fate.open, isDeposited)))
    }
  }
  return { fixesAgain, rowsLost: [...lost].filter((key) => !again.has(key)).length }
}

interface Fate {
  /** Epochs that stay open. */
  open: number[]
  /** Hashes (hex) whose group was refused permanently. */
  lost: string[]
  /** The whole fix is to be salted anew, under the roster in force. */
  again: boolean
}

/** The meaning of a reply for one hashed fix. Pure. */
export function toFate(entry: HashedEntry, { groups, refused, deposited, nowMs }: Outcome): Fate {
  const fate: Fate = { open: [], lost: [], again: false }
  for (const epoch of entry.open) {
    const reason = refused.get(epoch)?.reason
    const group = groups.find((item) => item.epoch === epoch)
    const rows = openRows({ ...entry, open: [epoch] }, deposited)
    const isSent = group !== undefined && rows.some((row) => equalBytes(row.roster, group.roster))
    if (rows.length === 0) continue
    if (!isSent || reason === undefined || reason === 'too-new') fate.open.push(epoch)
    else {
      fate.lost.push(...rows.map((row) => row.key))
      if (reason === 'roster' && !isBeyondWindow(fixBlockEnd(entry.block) - 1, nowMs)) fate.again = true
    }
  }
  return fate
}

function countRows(groups: readonly RowGroup[]): number {
  return groups.reduce((sum, { rows }) => sum + rows.filter(({ lags }) => lags > 0).length, 0)
}
