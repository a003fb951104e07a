/**
 * The log of a peer on stderr: JSON lines for a collector, plain text on a terminal. An entry holds an event and counters,
 * never anything personal.
 */
import { pino } from 'pino'
import type { Log, LogFields } from '../../platform/log.ts'
import { LOG_LEVELS, type Output } from '../terminal/output.ts'

/** `level` is one of LOG_LEVELS. */
export function processLog(role: string, level: string, out: Output): Log {
  if (out.isWatched && !out.isJson) {
    const rank = (LOG_LEVELS as readonly string[]).indexOf(level)
    const line = (event: string, fields: LogFields, at: number, mark: string) => {
      if (at < rank) return
      const values = Object.entries(fields).map(([key, value]) => `  ${key} ${value}`)
      out.note(`${new Date().toISOString().slice(11, 19)}Z${mark} ${event}${values.join('')}`)
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
