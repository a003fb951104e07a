/**
 * The log of a role: an event and plain counters, never a position, hash, user or address.
 * `cli` implements it with pino; tests use `silent`.
 */
export type LogFields = Readonly<Record<string, number | boolean | string>>
export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }
