/**
 * Report codes: the authority's one-time permissions to report. PROTOCOL.md §8.
 * Only their SHA-256 rests here. A code is spent in the same instant in which its report is kept; the same sync of the
 * same user may present it again. Whoever guesses has few attempts a day and 80 bits before them.
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
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import type { Attempts, CentralStore, CodeRecord, ReportRecord, User } from './store/central-store.ts'
import { timeToDay } from './store/day.ts'

/** One request of the console: a day's work of a large laboratory. */
export const CODES_PER_ISSUE_MAX = 10_000
const DAYS_MAX = 3_660

export interface CodeOrder {
  count: number
  /** How long they are valid. */
  days: number
  /** Infectious since, Unix ms: rows of earlier epochs do not count. Default: as far back as deposits are kept. */
  from?: number
}
export interface CodeCounts {
  open: number
  spent: number
  expired: number
  revoked: number
}
/** What presenting a code comes to, and what to keep with the deposit. */
export interface Redemption {
  readonly status: ReportStatus
  readonly attempts?: Attempts
  readonly report?: ReportRecord
  readonly code?: CodeRecord
}

export interface CodeRegistry {
  /** The codes as people read them out, here and never again. Throws COMMAND_INVALID. */
  issue(order: CodeOrder): Promise<string[]>
  /** Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED. */
  revoke(text: string): Promise<void>
  counts(): Promise<CodeCounts>
  /** Decides only; the caller keeps what it says. One at a time, or two could spend one code. */
  redeem(user: User, syncId: Uint8Array, code: Uint8Array): Promise<Redemption>
}

export interface CodeRegistryInit {
  store: CentralStore
  clock: Clock
  random: Random
  attemptsPerDay: number
  reportDays: number
  /** First epoch that retention still keeps. */
  retentionStart(): number
}

export function codeRegistry({
  store,
  clock,
  random,
  attemptsPerDay,
  reportDays,
  retentionStart,
}: CodeRegistryInit): CodeRegistry {
  const isExpired = ({ expiresAt }: CodeRecord): boolean => expiresAt <= clock.now()

  const toReport = async (user: User, code: CodeRecord): Promise<ReportRecord> => {
    const at = clock.now()
    return {
      id: await store.nextReport(),
      user,
      at,
      from: Math.max(code.from ?? 0, retentionStart()),
      until: timeToEpoch(at + reportDays * DAY_MS),
      state: 'active',
    }
  }

  return {
    async issue({ count, days, from }) {
      whole('count', count, CODES_PER_ISSUE_MAX)
      whole('days', days, DAYS_MAX)
      const issuedAt = clock.now()
      if (from !== undefined && !(Number.isSafeInteger(from) && from >= 0 && from <= issuedAt)) {
        invalid('"from" expected a time before now')
      }
      const codes = Array.from({ length: count }, () => random(REPORT_CODE_BYTES))
      await store.putCodes(
        codes.map((code) => ({
          hash: codeToHash(code),
          issuedAt,
          expiresAt: issuedAt + days * DAY_MS,
          state: 'open',
          ...(from !== undefined && { from: timeToEpoch(from) }),
        })),
      )
      return codes.map(formatReportCode)
    },

    async revoke(text) {
      const code = await store.findCode(codeToHash(parseReportCode(text)))
      if (code === undefined) throw new FederationError('CODE_UNKNOWN', 'no such report code was issued')
      if (code.state === 'spent') {
        throw new FederationError('CODE_SPENT', 'the code was spent; retract its report instead')
      }
      if (isExpired(code)) throw new FederationError('CODE_EXPIRED', 'the code expired and is worthless already')
      await store.putCodes([{ ...code, state: 'revoked' }])
    },

    async counts() {
      const counts = { open: 0, spent: 0, expired: 0, revoked: 0 }
      for await (const code of store.codes())
        counts[code.state === 'open' && isExpired(code) ? 'expired' : code.state]++
      return counts
    },

    async redeem(user, syncId, bytes) {
      const code = await store.findCode(codeToHash(bytes))
      // A retry whose acknowledgement was forgotten with its day.
      if (code?.spent?.user === user && equalBytes(code.spent.syncId, syncId)) return { status: 'accepted' }
      const day = timeToDay(clock.now())
      const before = await store.attempts(user)
      const attempts = { day, count: (before?.day === day ? before.count : 0) + 1 }
      if (attempts.count > attemptsPerDay) return { status: 'too-many-attempts' }
      if (code === undefined) return { status: 'code-unknown', attempts }
      if (code.state === 'spent') return { status: 'code-spent', attempts }
      // Whoever holds a revoked code should ask for another one, as with an expired one.
      if (code.state === 'revoked' || isExpired(code)) return { status: 'code-expired', attempts }
      const report = await toReport(user, code)
      return {
        status: 'accepted',
        attempts,
        report,
        code: { ...code, state: 'spent', spent: { user, syncId, report: report.id } },
      }
    },
  }
}

/** What rests of a code. No salt is needed: nobody can try 2^80 codes. */
export function codeToHash(code: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('geotrace/report-code').update(code).digest())
}

/** Reads what the console sends. Throws COMMAND_INVALID. */
export function assertCodeOrder(value: unknown): CodeOrder {
  const { count = 1, days = 1, from, ...rest } = (value ?? {}) as Record<string, unknown>
  const unknown = Object.keys(rest)[0]
  if (unknown !== undefined) invalid(`there is no "${unknown}"`)
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
