/**
 * The log of a peer on stderr: JSON lines for a collector, plain text on a terminal. An entry holds an event and counters,
 * never anything personal. Throws COMMAND_INVALID.
 */
import { pino } from 'pino'
import type { Log, LogFields } from '../../platform/log.ts'
import { invalidCommand } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** Throws COMMAND_INVALID. */
export function processLog(role: string, level: string, out: Output): Log {
  const rank = (LEVELS as readonly string[]).indexOf(level)
  if (rank === -1) invalidCommand(`--log-level expects one of ${LEVELS.join(', ')}; got ${level}`)
  if (out.isWatched) {
    const line = (event: string, fields: LogFields, at: number, mark: string) => {
      if (at < rank) return
      const values = Object.entries(fields).map(([key, value]) => `  ${key} ${value}`)
      out.note(`${new Date().toISOString().slice(11, 19)}${mark} ${event}${values.join('')}`)
    }
    return {
      info: (event, fields = {}) => line(event, fields, 1, ' '),
      warn: (event, fields = {}) => line(event, fields, 2, ' !'),
      error: (event, fields = {}) => line(event, fields, 3, ' !!'),
    }
  }
  const logger = pino({ name: role, level, base: { role } }, pino.destination({ dest: 2, sync: true }))
  return {
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  }
}
