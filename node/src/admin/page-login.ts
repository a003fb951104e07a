/**
 * Who may look at the status page: a code that opens once, for a session that can only read. README "Operating".
 * The control token stays out of browsers: it could stop the node, and histories and extensions keep what they see.
 */

import type { Random } from '@geotrace/core-wasm'
import { bytesToHex } from '@geotrace/core-wasm/wire'

const CODE_BYTES = 16
const SESSION_BYTES = 32
/** Links printed and not opened. */
const CODES_MAX = 4
/** Tabs of an operator; the oldest is shut out. */
const SESSIONS_MAX = 16

export interface PageLogin {
  /** A code that `enter` takes once. */
  newCode(): string
  /** A session for a code; undefined for any other text. */
  enter(code: string): string | undefined
  isSession(session: string): boolean
}

export function pageLogin(random: Random): PageLogin {
  // Sets keep the order of insertion, so the first is the oldest. 128 random bits need no comparison in constant time.
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
