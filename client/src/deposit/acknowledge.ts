/**
 * Stores the central peer's reply to a batch. PROTOCOL.md §7.2. One atomic write removes the frozen batch, stores the marks
 * and moves the rows. Taken rows become deposited. Refused rows wait, are salted again or are lost (fates.ts).
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
import { countNewMarks, replyToOperations } from '../exposures/store-marks.ts'
import { KEYS } from '../storage/key-layout.ts'
import { del, type Storage, type StorageOperation } from '../storage/storage.ts'
import { deleteFrozen } from './batch.ts'
import { type DepositedRows, readDeposited } from './deposited.ts'
import { type Fates, isPinnedElsewhere, type Outcome, settleEntries } from './fates.ts'
import { standingToOperations } from './standing.ts'
import { addRows, putDeposited } from './store-deposited.ts'

type CodeKind = Extract<SyncKind, { kind: 'code' }>

interface Acknowledged extends Fates {
  rowsDeposited: number
  rowsTakenBack: number
  rowsRefused: number
  marksNew: number
  /** Epochs refused as too new, or for a roster that may still be pinned: not to be sent again in this pass. */
  resting: number[]
}

/** The facts beside the reply: pins, rosters and the time. */
export type Knowledge = Pick<Outcome, 'pins' | 'rosterOf' | 'nowMs' | 'provedMs'>

/** Call with the device's lock held. */
export async function acknowledge(
  storage: Storage,
  request: SyncRequest,
  reply: SyncReply,
  knowledge: Knowledge,
): Promise<Acknowledged> {
  const { groups } = request
  const refused = new Map(reply.refused.map((group) => [group.epoch, group]))
  const operations = [...deleteFrozen(), ...(await deleteSentCode(storage, request))]
  operations.push(...(await standingToOperations(storage, request.report, reply)))
  const deposited = await addDeposited(storage, groups, refused, operations)
  const fates = await settleEntries(storage, { ...knowledge, groups, refused, deposited }, operations)
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
    resting: groups.filter((group) => isResting(group, refused.get(group.epoch), knowledge)).map(({ epoch }) => epoch),
  }
}

/** Takes back a batch that the central peer will never acknowledge. Its rows and its report go into the next one. */
export async function unfreeze(storage: Storage, { report }: SyncRequest): Promise<void> {
  await storage.batch([
    ...deleteFrozen(),
    ...(report.kind === 'code' || report.kind === 'withdraw' ? [putDue(withoutSlip(report))] : []),
  ])
}

/** The next batch takes the slip of the period again, which the device keeps. */
function withoutSlip<T extends SyncKind>(report: T): T {
  if (report.kind !== 'code') return report
  const { slip: _, ...rest } = report
  return rest as T
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

/** Whether the rows of a group stay as they are, so that they would only be refused again. */
function isResting({ epoch, roster }: RowGroup, refused: RefusedGroup | undefined, { pins }: Knowledge): boolean {
  return refused?.reason === 'too-new' || (refused?.reason === 'roster' && !isPinnedElsewhere(pins, epoch, roster))
}

function countRows(groups: readonly RowGroup[]): number {
  return groups.reduce((sum, { rows }) => sum + rows.filter(({ lags }) => lags > 0).length, 0)
}
