/** What a check found, and what to do about it. Pure. */

export type Verdict = 'ok' | 'warn' | 'fail'

export interface Finding {
  /** What was looked at; stable, for programs. */
  readonly check: string
  readonly verdict: Verdict
  readonly what: string
  /** The next step; undefined when all is well. */
  readonly next?: string
}

export function ok(check: string, what: string): Finding {
  return { check, verdict: 'ok', what }
}
export function warn(check: string, what: string, next: string): Finding {
  return { check, verdict: 'warn', what, next }
}
export function fail(check: string, what: string, next: string): Finding {
  return { check, verdict: 'fail', what, next }
}
