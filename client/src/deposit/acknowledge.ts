/**
 * Stores the central peer's reply to a batch. PROTOCOL.md §7.2. In one atomic write rows become deposited, refused groups
 * are salted again or counted lost, marks are stored, and the frozen batch is removed.
 */
import {
  equalBytes,
  type RefusedGroup,
  type RowGroup,
  type SyncReply,
  type SyncRequest,
} from '@geotrace/core-wasm/wire'
import { addTotals } from '../device/totals.ts'
import { fixBlockEnd, isBeyondWindow } from '../diary/fix-block.ts'
import { type HashedEntry, readHashed, saltAgain, settle } from '../diary/fix-states.ts'
import { countNewMarks, replyToOperations } from '../exposures/store-marks.ts'
import { KEYS } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { deleteFrozen } from './batch.ts'
import { type DepositedRows, isFirstRowDeposited, openRows, readDeposited } from './deposited.ts'
import { addRows, putDeposited } from './store-deposited.ts'

interface Acknowledged {
  rowsDeposited: number
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
  const deposited = await addDeposited(storage, groups, refused, operations)
  const fates = await settleEntries(storage, { groups, refused, deposited, nowMs }, operations)
  const rowsDeposited = countRows(groups.filter((group) => !refused.has(group.epoch)))
  operations.push(await addTotals(storage, { rowsDeposited, rowsLost: fates.rowsLost }))
  const marksNew = await countNewMarks(storage, request, reply)
  operations.push(...(await replyToOperations(storage, reply)))
  await storage.batch(operations)
  return {
    ...fates,
    rowsDeposited,
    rowsRefused: countRows(groups) - rowsDeposited,
    marksNew,
    resting: reply.refused.filter((group) => group.reason === 'too-new').map((group) => group.epoch),
  }
}

/** Takes back a batch that the central peer will never acknowledge. Its rows and its code go into the next one. */
export async function unfreeze(storage: Storage, { report }: SyncRequest): Promise<void> {
  await storage.batch([...deleteFrozen(), ...(report.kind === 'code' ? [put(KEYS.code, report.code)] : [])])
}

/** Deletes a waiting code that equals the sent code, because a user may type a code again after a lost reply. */
async function deleteSentCode(storage: Storage, { report }: SyncRequest): Promise<StorageOperation[]> {
  const waiting = await storage.get(KEYS.code)
  const isSent = report.kind === 'code' && waiting !== undefined && equalBytes(waiting, report.code)
  return isSent ? [del(KEYS.code)] : []
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
    const next = refused.has(epoch) ? known : addRows(known, rows)
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
  return groups.reduce((sum, group) => sum + group.rows.length, 0)
}
