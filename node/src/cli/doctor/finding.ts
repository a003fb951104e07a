/** What a check found, and what to do about it. Pure. */

export type Severity = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** What was looked at; stable, for programs. */
  readonly check: string
  readonly severity: Severity
  readonly what: string
  /** The next step; undefined when all is well. */
  readonly next?: string
}

export function ok(check: string, what: string): Finding {
  return { check, severity: 'ok', what }
}
export function warn(check: string, what: string, next: string): Finding {
  return { check, severity: 'warn', what, next }
}
export function fail(check: string, what: string, next: string): Finding {
  return { check, severity: 'fail', what, next }
}
