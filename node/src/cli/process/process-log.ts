/**
 * The log of a peer on stderr: JSON lines for a collector, plain text on a terminal. An entry holds an event and counters,
 * never anything personal. Only the first entry names the peer, its federation and its addresses.
 */
import { pino } from 'pino'
import type { Log, LogFields } from '../../platform/log.ts'
import { LOG_LEVELS, type Output } from '../terminal/output.ts'
import { VERSION } from '../terminal/version.ts'

/** Letters of the peer id in each entry, which tell the logs of several peers apart. */
const ID_END = 8

/** The facts of the first entry. They are public: the roster names all of them. */
interface StartFacts {
  peerId: string
  federation: string
  addresses: readonly string[]
  listen: readonly string[]
}

/** The log of a peer that starts. `level` is one of LOG_LEVELS. */
export function processLog(
  role: string,
  { peerId, federation, addresses, listen }: StartFacts,
  level: string,
  out: Output,
): Log {
  const log = openLog(role, peerId.slice(-ID_END), level, out)
  const where = { addresses: addresses.join(' '), listen: listen.join(' ') }
  log.info('peer.starting', { version: VERSION, peerId, federation, ...where })
  return log
}

function openLog(role: string, node: string, level: string, out: Output): Log {
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
  const logger = pino({ level, base: { role, node } }, pino.destination({ dest: 2, sync: true }))
  return {
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  }
}
