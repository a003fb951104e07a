/**
 * The networks whose devices a salt node serves, read from the file of `--allow`. The node reads the file again when it
 * changes, so that a new list needs no restart. A list that cannot be read leaves the one before in force.
 * node/README.md "Who may ask". Throws COMMAND_INVALID.
 */
import { unwatchFile, watchFile } from 'node:fs'
import { type Networks, textToNetworks } from '../../net/guard/networks.ts'
import type { Log } from '../../platform/log.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { readSmallFile } from '../terminal/small-file.ts'

interface AllowFile {
  /** Whether the list holds this address, 4 or 16 bytes. */
  allows(ip: Uint8Array): boolean
  stop(): void
}

/** Polling also notices a symbolic link that now points to another file. */
const LOOK_MS = 10_000
/** 10,000 networks with a comment each. */
const MAX_BYTES = 1 << 20
const NEXT = 'write one network a line, such as 203.0.113.0/24 or 2001:db8::/32'

export function allowFile(path: string, log: Log, lookMs = LOOK_MS): AllowFile {
  let current = read(path)
  const look = (): void => {
    try {
      current = read(path)
    } catch {
      log.warn('allow.unreadable')
      return
    }
    log.info('allow.read', { networks: current.size })
  }
  watchFile(path, { interval: lookMs, persistent: false }, look)
  return { allows: (ip) => current.has(ip), stop: () => unwatchFile(path, look) }
}

function read(path: string): Networks {
  const text = readSmallFile(path, { what: 'list of networks', maxBytes: MAX_BYTES, next: NEXT }).toString('utf8')
  try {
    return textToNetworks(text)
  } catch (error) {
    if (error instanceof RangeError) invalidCommand(`${path}: ${error.message}`, NEXT)
    throw error
  }
}
