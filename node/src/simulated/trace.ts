/**
 * What happened, as one digest: two runs of a seed are the same history exactly when theirs agree. CONTRIBUTING "Simulation".
 */
import { createHash, type Hash } from 'node:crypto'

export interface Trace {
  /** One event: what, and bytes that it carried. */
  note(atMs: number, what: string, bytes?: Uint8Array): void
  /** SHA-256 of all events so far, hex. */
  digest(): string
}

/** `listen` sees every line, for whoever searches a failure. */
export function createTrace(listen?: (line: string) => void): Trace {
  const hash: Hash = createHash('sha256')
  return {
    note(atMs, what, bytes) {
      const line = `${atMs} ${what} ${bytes?.length ?? 0}\n`
      hash.update(line)
      if (bytes !== undefined) hash.update(bytes)
      listen?.(line)
    },
    digest: () => hash.copy().digest('hex'),
  }
}
