/**
 * Login of the status page: a code works once and opens a session that only reads. node/README.md, "Operating".
 * The control token never enters a browser, because it can control the node, and browser histories and extensions keep it.
 */
import type { Random } from '@geotrace/core-wasm'
import { bytesToHex } from '@geotrace/core-wasm/wire'

const CODE_BYTES = 16
const SESSION_BYTES = 32
/** Printed links that were not opened yet; a new link removes the oldest. */
const CODES_MAX = 4
/** Open tabs of an operator; a new session ends the oldest. */
const SESSIONS_MAX = 16

export interface PageLogin {
  /** A new code, 32 hex digits. */
  newCode(): string
  /** Uses a code up and returns a session of 64 hex digits; undefined for any other text. */
  enter(code: string): string | undefined
  isSession(session: string): boolean
}

export function pageLogin(random: Random): PageLogin {
  // A Set keeps the order of insertion, so the first item is the oldest. A lookup of 128 random bits need not take
  // constant time.
  const codes = new Set<string>()
  const sessions = new Set<string>()
  const add = (set: Set<string>, bytes: number, max: number): string => {
    const made = bytesToHex(random(bytes))
    set.add(made)
    if (set.size > max) for (const oldest of [...set].slice(0, set.size - max)) set.delete(oldest)
    return made
  }
  return {
    newCode: () => add(codes, CODE_BYTES, CODES_MAX),
    enter: (code) => (codes.delete(code) ? add(sessions, SESSION_BYTES, SESSIONS_MAX) : undefined),
    isSession: (session) => sessions.has(session),
  }
}
