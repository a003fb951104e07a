/**
 * Errors of a database server, without its words and its address: they may name users, passwords, hosts and values.
 * node/CENTRAL.md "PostgreSQL". Throws nothing.
 */
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'

const RETRY_MS = 2_000

/** The server refused a statement, which is a fault of this program, or of a table that is gone. */
class StatementError extends Error {
  readonly state: string
  constructor(name: string, state: string) {
    super(`${name} refused a statement: ${state}`)
    this.state = state
  }
}

/** Whether the statement named a table that another process has dropped. */
export function isTableGone(error: unknown): boolean {
  return error instanceof StatementError && error.state === '42P01'
}

/** The five characters by which a server names an error; undefined for an error of another kind. */
export function toSqlState(error: unknown): string | undefined {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return severity !== undefined && typeof code === 'string' ? code : undefined
}

/** Another transaction was in the way, or made the same table at the same time. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(toSqlState(error) ?? '')
}

/** serialization_failure, deadlock_detected, unique_violation, duplicate_table, duplicate_object. */
const CONFLICTS: ReadonlySet<string> = new Set(['40001', '40P01', '23505', '42P07', '42710'])

/** The error without the words of the server, which may name users, hosts and values. */
export function toStoreError(error: unknown, name: string): Error {
  if (isFederationError(error)) return error
  const state = toSqlState(error)
  if (state === '53100') return new FederationError('STORAGE_FULL', `the disk of ${name} is full`, { what: name })
  if (state === 'XX001' || state === 'XX002') {
    const text = `${name} found damaged pages; restore the last backup`
    return new FederationError('STORAGE_CORRUPT', text, { what: name })
  }
  if (state?.startsWith('28')) {
    const reason = `${name} refuses the login; check user and password of its address`
    return new FederationError('COMMAND_INVALID', reason, { reason })
  }
  if (state === '3D000') {
    const text = `${name} has no such database; create it with \`createdb\``
    return new FederationError('STORE_MISSING', text, { dir: name })
  }
  if (state !== undefined && /^(?:2[0-9]|42|0A)/.test(state)) return new StatementError(name, state)
  if (error instanceof TypeError || error instanceof RangeError) return error
  return new FederationError('BUSY', `${name} does not answer: ask again`, { retryAfterMs: RETRY_MS })
}
