/**
 * Report codes: the authority's one-time permissions to report. PROTOCOL.md §8. Throws COMMAND_INVALID, CODE_UNKNOWN,
 * CODE_SPENT, CODE_EXPIRED, QUOTA_SPENT. The store has only the SHA-256 of a code. The write that keeps a report also spends
 * its code; the same sync of the same user may present the code again. A code has 80 bits, and a user has few attempts a
 * day to guess one.
 */
import { createHash } from 'node:crypto'
import type { Clock, Random } from '@geotrace/core-wasm'
import {
  DAY_MS,
  EPOCH_MS,
  equalBytes,
  FederationError,
  formatReportCode,
  parseReportCode,
  REPORT_CODE_BYTES,
  type ReportStatus,
  type SyncKind,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import type { CentralConfig } from '../config.ts'
import type { Attempts, CentralStore, CodeRecord, ReportId, ReportRecord, User } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'
import { type CodeBatches, type CodeCounts, codeBatches, codeToState, type Worker } from './batches.ts'
import { assertCodeOrder, type CodeOrder, orderToRecord } from './order.ts'

/** A code as a sync presents it. */
type PresentedCode = Omit<SyncKind & { kind: 'code' }, 'kind'>
/** The outcome of presenting a code, with the records that the caller keeps with the deposit. */
interface Redemption {
  readonly status: ReportStatus
  readonly attempts?: Attempts
  readonly report?: ReportRecord
  readonly code?: CodeRecord
}
export interface IssuedCodes {
  readonly batch: string
  readonly expiresAt: number
  readonly codes: readonly string[]
}
/** One code as the authority sees it. Times are Unix ms. */
export interface CodeStatus {
  readonly state: keyof CodeCounts
  readonly issuedAt: number
  readonly expiresAt: number
  readonly batch?: string
  readonly label?: string
  readonly worker?: string
  readonly from?: number
  readonly until?: number
  readonly testedAt?: number
  /** The report that spent it, as long as retention keeps the link. */
  readonly report?: ReportId
}

export interface CodeRegistry extends Pick<CodeBatches, 'counts'> {
  readonly batches: Pick<CodeBatches, 'list' | 'revoke'>
  /** New codes as text for people. Only this call returns them, because the store has hashes only. */
  issue(order: Partial<CodeOrder>, worker?: Worker): Promise<IssuedCodes>
  /** Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED. */
  revoke(text: string): Promise<void>
  /** Throws CODE_UNKNOWN. */
  status(text: string): Promise<CodeStatus>
  /**
   * Decides and writes nothing; the caller keeps the result, and decides again when the store says that the code was
   * taken. The user that spent a code may present it again, to give the report other dates.
   */
  redeem(user: User, syncId: Uint8Array, presented: PresentedCode): Promise<Redemption>
}

type Settings = 'attemptsPerDay' | 'reportDays' | 'review' | 'infectiousBefore' | 'infectiousAfter'

interface CodeRegistryInit extends Pick<CentralConfig, Settings> {
  store: CentralStore
  clock: Clock
  random: Random
  /** The first epoch that retention still keeps. */
  retentionStart(): number
}

export function codeRegistry(init: CodeRegistryInit): CodeRegistry {
  const { store, clock, random, attemptsPerDay } = init
  const batches = codeBatches(init)

  const revoke = async (text: string): Promise<void> => {
    const code = await store.findCode(codeToHash(parseReportCode(text)))
    assertRevocable(code, clock.now())
    if (code.state === 'open' && !(await store.closeCode({ ...code, state: 'revoked' }))) await revoke(text)
  }

  return {
    batches,
    async issue(given, worker) {
      const order = assertCodeOrder(given, clock.now())
      const record = { ...orderToRecord(order, init, clock.now()), ...(worker && { worker: worker.name }) }
      const codes = Array.from({ length: order.count }, () => random(REPORT_CODE_BYTES))
      const batch = await batches.order(order.count, timeToDay(record.expiresAt), worker)
      await store.putCodes(codes.map((code) => ({ ...record, batch, hash: codeToHash(code) })))
      return { batch, expiresAt: record.expiresAt, codes: codes.map(formatReportCode) }
    },

    revoke,

    async status(text) {
      return toStatus(assertKnown(await store.findCode(codeToHash(parseReportCode(text)))), clock.now())
    },

    counts: batches.counts,

    async redeem(user, syncId, presented) {
      const code = await store.findCode(codeToHash(presented.code))
      // A retry after retention dropped the acknowledgement together with its day.
      if (code?.spent?.user === user && equalBytes(code.spent.syncId, syncId)) return { status: 'accepted' }
      const day = timeToDay(clock.now())
      const before = await store.attempts(user)
      const attempts = { day, count: (before?.day === day ? before.count : 0) + 1 }
      if (attempts.count > attemptsPerDay) return { status: 'too-many-attempts' }
      if (code === undefined) return { status: 'code-unknown', attempts }
      if (code.spent?.user === user) {
        const known = (await store.reports()).find(({ id }) => id === code.spent!.report)
        if (known === undefined || (known.state !== 'active' && known.state !== 'held'))
          return { status: 'code-spent', attempts }
        return { status: 'updated', attempts, report: withDates(init, known, code, presented) }
      }
      const fault = codeToFault(code, clock.now())
      if (fault !== undefined) return { status: fault, attempts }
      const report = await toReport(init, user, code, presented)
      return {
        status: 'accepted',
        attempts,
        report,
        code: { ...code, state: 'spent', spent: { user, syncId, report: report.id, day } },
      }
    },
  }
}

async function toReport(
  init: CodeRegistryInit,
  user: User,
  code: CodeRecord,
  presented: PresentedCode,
): Promise<ReportRecord> {
  const at = init.clock.now()
  const until = Math.min(timeToEpoch(at + init.reportDays * DAY_MS), code.until ?? Number.POSITIVE_INFINITY)
  const bare = { id: await init.store.nextReport(), user, at, until, ...(code.batch && { batch: code.batch }) }
  return withDates(init, { ...bare, from: 0, state: 'active' }, code, presented)
}

/** The report with its dates: the latest `from` of the code's, the device's and the retention's. Other dates are reviewed anew. */
function withDates(
  { review, retentionStart }: CodeRegistryInit,
  { testDay: _, approvedAt: __, ...report }: ReportRecord,
  code: CodeRecord,
  presented: PresentedCode,
): ReportRecord {
  const testDay = code.testDay ?? presented.testDay
  return {
    ...report,
    from: Math.max(code.from ?? 0, presented.from, retentionStart()),
    ...(testDay > 0 && { testDay }),
    state: review ? 'held' : report.state,
  }
}

function toStatus(code: CodeRecord, nowMs: number): CodeStatus {
  const { issuedAt, expiresAt, batch, label, worker, from, until, testDay, spent } = code
  return {
    state: codeToState(code, nowMs),
    issuedAt,
    expiresAt,
    ...(batch !== undefined && { batch }),
    ...(label !== undefined && { label }),
    ...(worker !== undefined && { worker }),
    ...(from !== undefined && { from: from * EPOCH_MS }),
    ...(until !== undefined && { until: (until + 1) * EPOCH_MS }),
    ...(testDay !== undefined && { testedAt: testDay * DAY_MS }),
    ...(spent !== undefined && { report: spent.report }),
  }
}

function assertKnown(code: CodeRecord | undefined): CodeRecord {
  if (code !== undefined) return code
  throw new FederationError('CODE_UNKNOWN', 'this report code was never issued; check it for typing errors')
}

/** Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED. */
function assertRevocable(code: CodeRecord | undefined, nowMs: number): asserts code is CodeRecord {
  const state = codeToState(assertKnown(code), nowMs)
  if (state === 'spent') {
    throw new FederationError('CODE_SPENT', 'the code was spent; retract its report instead')
  }
  if (state === 'expired') {
    throw new FederationError('CODE_EXPIRED', 'the code has expired, so it needs no revocation')
  }
}

/** The reason why a code cannot be spent; undefined for an open code. Pure. */
function codeToFault(code: CodeRecord, nowMs: number): 'code-spent' | 'code-expired' | undefined {
  const state = codeToState(code, nowMs)
  if (state === 'open') return undefined
  // The holder of a revoked code needs a new code, just like the holder of an expired one.
  return state === 'spent' ? 'code-spent' : 'code-expired'
}

/** The form of a code in the store. The hash needs no salt, because an attacker cannot try 2^80 codes. */
function codeToHash(code: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('geotrace/report-code').update(code).digest())
}
