/**
 * What roles may say about themselves: an event and plain counters, never a position, hash, user or address.
 * `cli` brings pino; tests bring silence.
 */
export type LogFields = Readonly<Record<string, number | boolean | string>>
export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }
