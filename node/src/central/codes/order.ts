/**
 * An order of report codes: how many, for how long, and which days of the reporter count. node/CENTRAL.md "Report codes".
 * Pure. Throws COMMAND_INVALID.
 */
import { DAY_MS, EPOCHS_PER_DAY, FederationError, timeToEpoch } from '@geotrace/core-wasm/wire'
import type { CentralConfig } from '../config.ts'
import type { CodeRecord } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'

/** Codes in one order: a day's work of a large laboratory. */
export const CODES_PER_ISSUE_MAX = 10_000
export const CODE_DAYS_MAX = 3_660
/** A label is for people: a laboratory, an outbreak, a week. Never a patient. */
const LABEL = /^[\p{L}\p{N}][\p{L}\p{N} ._/-]{0,39}$/u

export interface CodeOrder {
  count: number
  /** Validity in days. */
  days: number
  label?: string
  /** Start and end of infectiousness, Unix ms. Default: everything that is kept, and no end. */
  from?: number
  until?: number
  /** The UTC day on which symptoms began, Unix ms. `from` and `until` follow from it, unless the order has them. */
  onset?: number
  /** The UTC day of the test, Unix ms. */
  testedAt?: number
}
type InfectiousDays = Pick<CentralConfig, 'infectiousBefore' | 'infectiousAfter'>

const TIMES = ['from', 'until', 'onset', 'testedAt'] as const
const FIELDS: readonly string[] = ['count', 'days', 'label', ...TIMES]

/** Checks an order from the control server and fills in the defaults, one code for one day. Throws COMMAND_INVALID. */
export function assertCodeOrder(value: unknown, nowMs: number): CodeOrder {
  const given = (value ?? {}) as Record<string, unknown>
  const unknown = Object.keys(given).find((name) => !FIELDS.includes(name))
  if (unknown !== undefined) invalid(`an order expected only ${FIELDS.join(', ')}, got "${unknown}"`)
  const order: CodeOrder = {
    count: whole('count', given.count ?? 1, CODES_PER_ISSUE_MAX),
    days: whole('days', given.days ?? 1, CODE_DAYS_MAX),
  }
  if (given.label !== undefined) order.label = toLabel(given.label)
  for (const name of TIMES) if (given[name] !== undefined) order[name] = toTime(name, given[name], nowMs)
  const { from = 0, until = Number.MAX_SAFE_INTEGER } = order
  if (until < from) invalid('"until" expected a time after "from"')
  return order
}

/** The fields that all codes of an order share. */
export function orderToRecord(
  { days, label, ...order }: CodeOrder,
  { infectiousBefore, infectiousAfter }: InfectiousDays,
  nowMs: number,
): Omit<CodeRecord, 'hash'> {
  const onset = order.onset === undefined ? undefined : timeToDay(order.onset)
  const from = order.from === undefined ? dayToEpoch(onset, -infectiousBefore) : timeToEpoch(order.from)
  // The whole last day counts.
  const end = dayToEpoch(onset, infectiousAfter + 1)
  const until = order.until === undefined ? end && end - 1 : timeToEpoch(order.until)
  return {
    issuedAt: nowMs,
    expiresAt: nowMs + days * DAY_MS,
    state: 'open',
    ...(label !== undefined && { label }),
    ...(from !== undefined && { from }),
    ...(until !== undefined && { until }),
    ...(order.testedAt !== undefined && { testDay: timeToDay(order.testedAt) }),
  }
}

function dayToEpoch(day: number | undefined, days: number): number | undefined {
  return day === undefined ? undefined : Math.max(0, (day + days) * EPOCHS_PER_DAY)
}

function toLabel(value: unknown): string {
  if (typeof value === 'string' && LABEL.test(value)) return value
  return invalid('"label" expected 1 to 40 letters, digits, blanks and . _ / -, beginning with a letter or digit')
}

/** Only `until` may lie in the future, at most a year. */
function toTime(name: (typeof TIMES)[number], value: unknown, nowMs: number): number {
  const max = name === 'until' ? nowMs + 366 * DAY_MS : nowMs
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) return value as number
  return invalid(`"${name}" expected a time from 1970 until ${name === 'until' ? 'a year from now' : 'now'} in Unix ms`)
}

function whole(name: string, value: unknown, max: number): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max) return value as number
  return invalid(`"${name}" expected 1..${max}, got ${String(value)}`)
}

function invalid(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
