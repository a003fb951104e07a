/**
 * All events of a history as one digest. CONTRIBUTING "Simulation". Two runs of a seed are the same history exactly when
 * their digests are equal.
 */
import { createHash, type Hash } from 'node:crypto'

export interface Trace {
  /** Notes one event, with the bytes that the event carried. */
  note(atMs: number, what: string, bytes?: Uint8Array): void
  /** The SHA-256 of all events so far, hex. */
  digest(): string
}

/** `listen` receives every line, for a developer who searches for the cause of a failure. */
export function createTrace(listen?: (line: string) => void): Trace {
  const hash: Hash = createHash('sha256')
  // Events are hashed in chunks, because a call costs more than the bytes of one event.
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let filled = 0
  const flush = (): void => {
    hash.update(chunk.subarray(0, filled))
    filled = 0
  }
  const take = (bytes: Uint8Array): void => {
    if (filled + bytes.length > CHUNK_BYTES) flush()
    if (bytes.length > CHUNK_BYTES) hash.update(bytes)
    else {
      chunk.set(bytes, filled)
      filled += bytes.length
    }
  }
  return {
    note(atMs, what, bytes) {
      const line = `${atMs} ${what} ${bytes?.length ?? 0}\n`
      // UTF-8 takes at most three bytes for one UTF-16 code unit, which JavaScript counts as length 1.
      if (3 * line.length <= CHUNK_BYTES - filled) filled += chunk.write(line, filled)
      else take(Buffer.from(line))
      if (bytes !== undefined) take(bytes)
      listen?.(line)
    },
    digest() {
      flush()
      return hash.copy().digest('hex')
    },
  }
}

const CHUNK_BYTES = 65_536
