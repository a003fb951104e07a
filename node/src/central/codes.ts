/**
 * Report codes: the authority's one-time permissions to report. PROTOCOL.md §8. Throws COMMAND_INVALID, CODE_UNKNOWN,
 * CODE_SPENT, CODE_EXPIRED. The store has only the SHA-256 of a code. The write that keeps a report also spends its
 * code; the same sync of the same user may present the code again. A code has 80 bits, and a user has few attempts a
 * day to guess one.
 */
import { createHash } from 'node:crypto'
import type { Clock, Random } from '@geotrace/core-wasm'
import {
  DAY_MS,
  equalBytes,
  FederationError,
  formatReportCode,
  parseReportCode,
  REPORT_CODE_BYTES,
  type ReportStatus,
  type SyncKind,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import type { Attempts, CentralStore, CodeRecord, ReportRecord, User } from './store/central-store.ts'
import { timeToDay } from './store/day.ts'

/** Codes in one order: a day's work of a large laboratory. */
export const CODES_PER_ISSUE_MAX = 10_000
export const CODE_DAYS_MAX = 3_660

export interface CodeOrder {
  count: number
  /** Validity in days. */
  days: number
  /** Start of infectiousness, Unix ms. Rows of earlier epochs do not count. Default: the start of retention. */
  from?: number
}
export interface CodeCounts {
  open: number
  spent: number
  expired: number
  revoked: number
}
/** A code as a sync presents it. */
type PresentedCode = Omit<SyncKind & { kind: 'code' }, 'kind'>
/** The outcome of presenting a code, with the records that the caller keeps with the deposit. */
interface Redemption {
  readonly status: ReportStatus
  readonly attempts?: Attempts
  readonly report?: ReportRecord
  readonly code?: CodeRecord
}

export interface CodeRegistry {
  /** New codes as text for people. Only this call returns them, because the store has hashes only. Throws COMMAND_INVALID. */
  issue(order: CodeOrder): Promise<string[]>
  /** Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED. */
  revoke(text: string): Promise<void>
  counts(): Promise<CodeCounts>
  /**
   * Decides and writes nothing; the caller keeps the result, and decides again when the store says that the code was
   * taken. The user that spent a code may present it again, to give the report other dates.
   */
  redeem(user: User, syncId: Uint8Array, presented: PresentedCode): Promise<Redemption>
}

interface CodeRegistryInit {
  store: CentralStore
  clock: Clock
  random: Random
  attemptsPerDay: number
  reportDays: number
  /** The first epoch that retention still keeps. */
  retentionStart(): number
}

export function codeRegistry(init: CodeRegistryInit): CodeRegistry {
  const { store, clock, random, attemptsPerDay, reportDays, retentionStart } = init
  const toReport = async (user: User, code: CodeRecord, presented: PresentedCode): Promise<ReportRecord> => {
    const at = clock.now()
    const until = timeToEpoch(at + reportDays * DAY_MS)
    return { id: await store.nextReport(), user, at, ...toDates(code, presented), until, state: 'active' }
  }
  /** The latest `from` of the code's, the device's and the retention's. */
  const toDates = (code: CodeRecord, { from, testDay }: PresentedCode): Pick<ReportRecord, 'from' | 'testDay'> => ({
    from: Math.max(code.from ?? 0, from, retentionStart()),
    ...(testDay > 0 && { testDay }),
  })

  const revoke = async (text: string): Promise<void> => {
    const code = await store.findCode(codeToHash(parseReportCode(text)))
    assertRevocable(code, clock.now())
    if (code.state === 'open' && !(await store.closeCode({ ...code, state: 'revoked' }))) await revoke(text)
  }

  return {
    async issue(order) {
      const issuedAt = clock.now()
      assertBounds(order, issuedAt)
      const codes = Array.from({ length: order.count }, () => random(REPORT_CODE_BYTES))
      await store.putCodes(codes.map((code) => toRecord(code, order, issuedAt)))
      return codes.map(formatReportCode)
    },

    revoke,

    async counts() {
      const counts = { open: 0, spent: 0, expired: 0, revoked: 0 }
      for await (const code of store.codes())
        counts[code.state === 'open' && isExpired(code, clock.now()) ? 'expired' : code.state]++
      return counts
    },

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
        if (known?.state !== 'active') return { status: 'code-spent', attempts }
        const { testDay: _, ...rest } = known
        return { status: 'updated', attempts, report: { ...rest, ...toDates(code, presented) } }
      }
      const fault = codeToFault(code, clock.now())
      if (fault !== undefined) return { status: fault, attempts }
      const report = await toReport(user, code, presented)
      return {
        status: 'accepted',
        attempts,
        report,
        code: { ...code, state: 'spent', spent: { user, syncId, report: report.id, day } },
      }
    },
  }
}

/** Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED. */
function assertRevocable(code: CodeRecord | undefined, nowMs: number): asserts code is CodeRecord {
  if (code === undefined) {
    throw new FederationError('CODE_UNKNOWN', 'this report code was never issued; check it for typing errors')
  }
  if (code.state === 'spent') {
    throw new FederationError('CODE_SPENT', 'the code was spent; retract its report instead')
  }
  if (isExpired(code, nowMs)) {
    throw new FederationError('CODE_EXPIRED', 'the code has expired, so it needs no revocation')
  }
}

/** The reason why a code cannot be spent; undefined for an open code. Pure. */
function codeToFault(code: CodeRecord, nowMs: number): 'code-spent' | 'code-expired' | undefined {
  if (code.state === 'spent') return 'code-spent'
  // The holder of a revoked code needs a new code, just like the holder of an expired one.
  return code.state === 'revoked' || isExpired(code, nowMs) ? 'code-expired' : undefined
}

function isExpired({ expiresAt }: CodeRecord, nowMs: number): boolean {
  return expiresAt <= nowMs
}

function toRecord(code: Uint8Array, { days, from }: CodeOrder, issuedAt: number): CodeRecord {
  const expiresAt = issuedAt + days * DAY_MS
  return {
    hash: codeToHash(code),
    issuedAt,
    expiresAt,
    state: 'open',
    ...(from !== undefined && { from: timeToEpoch(from) }),
  }
}

/** Throws COMMAND_INVALID. */
function assertBounds({ count, days, from }: CodeOrder, nowMs: number): void {
  whole('count', count, CODES_PER_ISSUE_MAX)
  whole('days', days, CODE_DAYS_MAX)
  if (from !== undefined && !(Number.isSafeInteger(from) && from >= 0 && from <= nowMs)) {
    invalid(`"from" expected a time from 1970 until now in Unix ms, got ${from}`)
  }
}

/** The form of a code in the store. The hash needs no salt, because an attacker cannot try 2^80 codes. */
function codeToHash(code: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('geotrace/report-code').update(code).digest())
}

/** Checks an order from the control server and fills in the defaults, one code for one day. Throws COMMAND_INVALID. */
export function assertCodeOrder(value: unknown): CodeOrder {
  const { count = 1, days = 1, from, ...rest } = (value ?? {}) as Record<string, unknown>
  const unknown = Object.keys(rest)[0]
  if (unknown !== undefined) invalid(`an order expected "count", "days" and "from" only, got "${unknown}"`)
  if (typeof count !== 'number' || typeof days !== 'number') return invalid('"count" and "days" expected whole numbers')
  if (from !== undefined && typeof from !== 'number') return invalid('"from" expected Unix ms')
  return { count, days, ...(from !== undefined && { from }) }
}

function whole(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 1 || value > max) invalid(`"${name}" expected 1..${max}, got ${value}`)
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
