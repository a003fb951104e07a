/**
 * A central peer in memory: the rows of each user, one acknowledged answer for each sync id, marks of direct contacts.
 * A row with lag mask 0 goes, and a withdrawn report takes its marks with it.
 */
import {
  bytesToHex,
  decodeSyncRequest,
  encodeSyncReply,
  FederationError,
  LAG_CURRENT,
  LAG_NEXT,
  type Manifest,
  type Mark,
  MINUTE_MS,
  marksPerReply,
  type Pin,
  type RefusedReason,
  type ReportStatus,
  type RowGroup,
  type SyncRequest,
  syncContent,
} from '@geotrace/core-wasm/wire'
import { sha256 } from '@noble/hashes/sha2.js'

const MINUTES_OFF_MAX = 10

interface FakeUser {
  /** Rows by `epoch/hash`. */
  rows: Map<string, { epoch: number; hash: Uint8Array; size: number; lags: number }>
  marks: Mark[]
  reported: boolean
  /** The code of its report. */
  code?: string
}

export interface FakeCentral {
  serve(frame: Uint8Array, nowMs: number): Uint8Array
  readonly users: Map<string, FakeUser>
  /** How many rows came again in another sync without a new lag, or were taken back while unknown. */
  rowsTwice: number
  /** Every acknowledged request, once, in order. */
  readonly requests: SyncRequest[]
  readonly codes: Map<string, ReportStatus>
  /** The pins that come with refusals of their epochs. */
  readonly pins: Pin[]
  /** Decides about a group: the reason of a refusal, or undefined to accept the group. */
  refuse: (group: RowGroup) => RefusedReason | undefined
  /** Drops all marks and begins a new generation, as a retraction does. */
  retract(): void
}

export function fakeCentral(manifest: Manifest, roster: Uint8Array): FakeCentral {
  const { syncRequestBytes, syncReplyBytes } = manifest.parameters
  const users = new Map<string, FakeUser>()
  const answered = new Map<string, { digest: string; reply: Uint8Array }>()
  let generation = 1
  const central: FakeCentral = {
    users,
    rowsTwice: 0,
    requests: [],
    codes: new Map(),
    pins: [],
    refuse: () => undefined,
    retract() {
      generation++
      for (const user of users.values()) user.reported = false
      markAgain(users)
    },
    serve(frame, nowMs) {
      const request = readRecent(frame, syncRequestBytes, nowMs)
      const [id, digest] = [sha(request.userSecret), sha(syncContent(frame))]
      const key = `${id}/${bytesToHex(request.syncId)}`
      const before = answered.get(key)
      if (before !== undefined && before.digest !== digest) throw new FederationError('SYNC_CONFLICT', 'another batch')
      if (before !== undefined) return before.reply
      central.requests.push(request)
      const reply = answer(request, id, nowMs)
      answered.set(key, { digest, reply })
      return reply
    },
  }

  function answer(request: SyncRequest, id: string, nowMs: number): Uint8Array {
    if (request.report.kind === 'erase') users.delete(id)
    const user = users.get(id) ?? { rows: new Map(), marks: [], reported: false }
    if (request.report.kind !== 'erase' && !changesNothing(request)) users.set(id, user)
    const refused = request.groups.flatMap((group) => {
      const reason = central.refuse(group)
      if (reason === undefined) store(user, group)
      return reason === undefined ? [] : [{ epoch: group.epoch, reason, roster }]
    })
    const pins = central.pins.filter(({ epoch }) => refused.some((group) => group.epoch === epoch))
    const report = takeReport(central.codes, user, request)
    if (report === 'withdrawn') {
      generation++
      markAgain(users)
    }
    if (user.reported) for (const [other, item] of users) if (other !== id) meet(user, item)
    for (const other of users.values()) if (other.reported && other !== user) meet(other, user)
    const from = request.generation === generation ? request.cursor : 0
    const marks = user.marks.slice(from, from + marksPerReply(syncReplyBytes, refused.length, pins.length))
    const cursor = from + marks.length
    const left = user.marks.length - cursor
    return encodeSyncReply({ report, time: nowMs, generation, cursor, left, refused, pins, marks }, syncReplyBytes)
  }

  function store(user: FakeUser, { epoch, rows }: RowGroup): void {
    for (const row of rows) {
      const key = `${epoch}/${bytesToHex(row.hash)}`
      if (row.lags === 0) {
        if (!user.rows.delete(key)) central.rowsTwice++
        continue
      }
      const lags = user.rows.get(key)?.lags ?? 0
      if ((lags & row.lags) === row.lags) central.rowsTwice++
      user.rows.set(key, { epoch, ...row, lags: lags | row.lags })
    }
  }

  return central
}

/** Uses up the code of a report and makes the user a reporter, or ends that. */
function takeReport(codes: Map<string, ReportStatus>, user: FakeUser, { report }: SyncRequest): ReportStatus {
  if (report.kind === 'withdraw') {
    const status = user.reported ? 'withdrawn' : 'none'
    user.reported = false
    return status
  }
  if (report.kind !== 'code') return user.reported ? 'published' : 'none'
  const key = bytesToHex(report.code)
  if (user.reported && user.code === key) return 'updated'
  const status = codes.get(key) ?? 'code-unknown'
  if (status !== 'accepted') return status
  codes.set(key, 'code-spent')
  user.reported = true
  user.code = key
  return status
}

/** The marks of the reports that are left. */
function markAgain(users: ReadonlyMap<string, FakeUser>): void {
  for (const user of users.values()) user.marks = []
  for (const user of users.values()) {
    if (user.reported) for (const other of users.values()) if (other !== user) meet(user, other)
  }
}

/** Marks rows of `other` with lag current that the reporter has as current (same block) or next (one block later). */
function meet(reporter: FakeUser, other: FakeUser): void {
  for (const [key, { epoch, hash, lags }] of other.rows) {
    const row = reporter.rows.get(key)
    if (row === undefined || (lags & LAG_CURRENT) === 0) continue
    const lag = row.lags & LAG_CURRENT ? 0 : row.lags & LAG_NEXT ? 1 : undefined
    if (lag === undefined || other.marks.some((mark) => bytesToHex(mark.hash) === bytesToHex(hash))) continue
    other.marks.push({ epoch, hash, degree: 1, weight: 1, lag })
  }
}

/** As the real central peer does: a minute at most ten off, or none in a sync that changes nothing. */
function readRecent(frame: Uint8Array, classes: readonly number[], nowMs: number): SyncRequest {
  const request = decodeSyncRequest(frame, classes)
  const off = Math.abs(request.minute - Math.floor(nowMs / MINUTE_MS))
  if (off <= MINUTES_OFF_MAX || (request.minute === 0 && changesNothing(request))) return request
  throw new FederationError('CLOCK_SKEWED', `${off} minutes off`, { offsetMs: off * MINUTE_MS })
}

function changesNothing({ report, groups }: SyncRequest): boolean {
  return report.kind === 'none' && groups.length === 0
}

function sha(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes))
}
