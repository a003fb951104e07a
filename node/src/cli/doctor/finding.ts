/** The result of one check of `geotrace doctor`, with the next step. */

export type Severity = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** The name of the check. Programs may rely on it. */
  readonly check: string
  readonly severity: Severity
  readonly what: string
  /** The next step; undefined when the check passed. */
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
