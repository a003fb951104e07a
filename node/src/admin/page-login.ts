/**
 * Login of the status page and of the console: a code works once and opens a session. node/README.md, "Operating". A session
 * of the status page only reads; one of the console may do what its caller may, for a working day.
 * The control token never enters a browser, because it can control the node, and browser histories and extensions keep it.
 */
import type { Random } from '@geotrace/core-wasm'
import { bytesToHex } from '@geotrace/core-wasm/wire'
import type { Caller } from './staff/roles.ts'

const CODE_BYTES = 16
const SESSION_BYTES = 32
/** Printed links that were not opened yet; a new link removes the oldest. */
const CODES_MAX = 4
/** Open tabs of all callers; a new session ends the oldest. */
const SESSIONS_MAX = 16
const SESSION_MS = 10 * 3_600_000

export interface PageLogin {
  /** A new code of this caller, 32 hex digits. */
  newCode(caller: Caller): string
  /** Uses a code up and returns a session of 64 hex digits; undefined for any other text. */
  enter(code: string): string | undefined
  /** A session of this caller, who needs no link. */
  newSession(caller: Caller): string
  /** The caller of a session that has not ended. */
  callerOf(session: string): Caller | undefined
}

export function pageLogin(random: Random, now: () => number): PageLogin {
  // A Map keeps the order of insertion, so the first item is the oldest. A lookup of 128 random bits need not take
  // constant time.
  const codes = new Map<string, Caller>()
  const sessions = new Map<string, { caller: Caller; untilMs: number }>()
  const add = <T>(map: Map<string, T>, bytes: number, max: number, value: T): string => {
    const made = bytesToHex(random(bytes))
    map.set(made, value)
    if (map.size > max) for (const oldest of [...map.keys()].slice(0, map.size - max)) map.delete(oldest)
    return made
  }
  const newSession = (caller: Caller): string =>
    add(sessions, SESSION_BYTES, SESSIONS_MAX, { caller, untilMs: now() + SESSION_MS })
  return {
    newSession,
    newCode: (caller) => add(codes, CODE_BYTES, CODES_MAX, caller),
    enter(code) {
      const caller = codes.get(code)
      codes.delete(code)
      return caller && newSession(caller)
    },
    callerOf(session) {
      const found = sessions.get(session)
      return found !== undefined && found.untilMs > now() ? found.caller : undefined
    },
  }
}
