/** The result of one check of `geotrace doctor`, with the next step, and its text. Pure. */

import { toFailure } from '../terminal/failure.ts'

type Severity = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** The name of the check. Programs may rely on it. */
  readonly check: string
  readonly severity: Severity
  readonly what: string
  /** The next step; undefined when the check passed. */
  readonly next?: string
}

const LABELS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const
/** The length of the longest name of a check. */
const CHECK_WIDTH = 11

export function ok(check: string, what: string): Finding {
  return { check, severity: 'ok', what }
}
export function warn(check: string, what: string, next: string): Finding {
  return { check, severity: 'warn', what, next }
}
export function fail(check: string, what: string, next: string): Finding {
  return { check, severity: 'fail', what, next }
}

/** An error of a check as a problem. Throws a fault of this program again. */
export function toFinding(check: string, error: unknown): Finding {
  const { code, message, next } = toFailure(error, 'doctor')
  if (code === 'INTERNAL') throw error
  return fail(check, message, next)
}

/** One line for the result, and the next step below it. */
export function findingToLines({ check, severity, what, next }: Finding): string[] {
  const line = `${LABELS[severity]}  ${check.padEnd(CHECK_WIDTH)} ${what}`
  if (next === undefined) return [line]
  const indent = ' '.repeat(LABELS.ok.length + 2 + CHECK_WIDTH + 1)
  return [line, ...next.split('\n').map((text, i) => `${indent}${i === 0 ? '→ ' : '  '}${text}`)]
}

/** `3 problems, 1 warning.` */
export function findingsToSummary(findings: readonly Finding[]): string {
  const count = (severity: Severity) => findings.filter((item) => item.severity === severity).length
  return `${amount(count('fail'), 'problem')}, ${amount(count('warn'), 'warning')}.`
}

function amount(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`
}
