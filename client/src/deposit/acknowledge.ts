/**
 * The central peer answered: in one atomic batch rows leave the outbox, refused groups are salted again or counted
 * lost, marks are stored and the batch is no longer frozen. PROTOCOL.md §7.2.
 */
import {
  bytesToHex,
  equalBytes,
  type RefusedGroup,
  type RowGroup,
  type SyncReply,
  type SyncRequest,
} from '@geotrace/core-wasm/wire'
import { addTotals } from '../device/totals.ts'
import { fixBlockEnd, isBeyondWindow } from '../diary/diary.ts'
import { replyToOperations } from '../exposures/marks.ts'
import { FAMILIES, KEYS, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { addRows, type DepositedRows, putDeposited, readDeposited } from './deposited.ts'
import { type OutboxEntry, openRows, putOpen, readEntries } from './outbox.ts'

export interface Acknowledged {
  rowsDeposited: number
  rowsRefused: number
  /** Of the refused: lost for good. */
  rowsLost: number
  /** Fixes that are salted again under the roster in force. */
  fixesAgain: number
  marksNew: number
  /** Epochs refused as too new: not to be sent again in this sync. */
  resting: number[]
}

export async function acknowledge(
  storage: Storage,
  request: SyncRequest,
  reply: SyncReply,
  nowMs: number,
): Promise<Acknowledged> {
  const refused = new Map(reply.refused.map((group) => [group.epoch, group]))
  const operations: StorageOperation[] = [del(KEYS.frozen)]
  const taken = request.groups.filter((group) => !refused.has(group.epoch))
  const deposited = new Map<number, DepositedRows>()
  for (const { epoch, rows } of request.groups) {
    const known = await readDeposited(storage, epoch)
    const next = refused.has(epoch) ? known : addRows(known, rows)
    deposited.set(epoch, next)
    if (next !== known) operations.push(putDeposited(epoch, next))
  }
  const again = new Set<string>()
  const lost = new Set<string>()
  let fixesAgain = 0
  for (const entry of await readEntries(storage)) {
    const settled = settle(entry, request.groups, refused, deposited, nowMs)
    for (const key of settled.lost) (settled.again ? again : lost).add(key)
    if (settled.again) {
      fixesAgain++
      operations.push(...saltAgain(entry.block))
    } else if (settled.open.length < entry.open.length) operations.push(putOpen(entry.block, settled.open))
  }
  const rowsDeposited = countRows(taken)
  const rowsLost = [...lost].filter((key) => !again.has(key)).length
  operations.push(await addTotals(storage, { rowsDeposited, rowsLost }))
  if (await isReported(storage, request)) operations.push(del(KEYS.code))
  const marksNew = await countNewMarks(storage, request, reply)
  operations.push(...(await replyToOperations(storage, reply)))
  await storage.batch(operations)
  return {
    rowsDeposited,
    rowsRefused: countRows(request.groups) - rowsDeposited,
    rowsLost,
    fixesAgain,
    marksNew,
    resting: reply.refused.filter((group) => group.reason === 'too-new').map((group) => group.epoch),
  }
}

interface Settled {
  /** Epochs that stay open. */
  open: number[]
  /** Hashes (hex) that a refusal took out of the outbox. */
  lost: string[]
  /** The whole fix is to be salted anew, under the roster in force. */
  again: boolean
}

function settle(
  entry: OutboxEntry,
  groups: readonly RowGroup[],
  refused: ReadonlyMap<number, RefusedGroup>,
  deposited: ReadonlyMap<number, DepositedRows>,
  nowMs: number,
): Settled {
  const settled: Settled = { open: [], lost: [], again: false }
  for (const epoch of entry.open) {
    const reason = refused.get(epoch)?.reason
    const group = groups.find((item) => item.epoch === epoch)
    const rows = openRows({ ...entry, open: [epoch] }, deposited)
    const sent = group !== undefined && rows.some((row) => equalBytes(row.roster, group.roster))
    if (rows.length === 0) continue
    if (!sent || reason === undefined || reason === 'too-new') settled.open.push(epoch)
    else {
      settled.lost.push(...rows.map((row) => row.key))
      if (reason === 'roster' && !isBeyondWindow(fixBlockEnd(entry.block) - 1, nowMs)) settled.again = true
    }
  }
  return settled
}

function saltAgain(block: number): StorageOperation[] {
  return [
    put(numberedKey(FAMILIES.waiting, block), new Uint8Array(0)),
    del(numberedKey(FAMILIES.hashes, block)),
    del(numberedKey(FAMILIES.outbox, block)),
  ]
}

/** Whether the code that waits is the one this batch carried: typed again after a lost reply, it must not go twice. */
async function isReported(storage: Storage, { report }: SyncRequest): Promise<boolean> {
  const waiting = await storage.get(KEYS.code)
  return report.kind === 'code' && waiting !== undefined && equalBytes(waiting, report.code)
}

function countRows(groups: readonly RowGroup[]): number {
  return groups.reduce((sum, group) => sum + group.rows.length, 0)
}

async function countNewMarks(storage: Storage, request: SyncRequest, reply: SyncReply): Promise<number> {
  if (reply.generation !== request.generation) return reply.marks.length
  let count = 0
  for (const { epoch, hash } of reply.marks) {
    const known = await storage.get(`${numberedKey(FAMILIES.mark, epoch)}${bytesToHex(hash)}`)
    if (known === undefined) count++
  }
  return count
}
