/**
 * A disk under databases whose writes fail as those of LevelDB do. After a failed write the handle goes on and shows later
 * writes to its own readers. It loses them when the database is opened again.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FederationError } from '@geotrace/core-wasm/wire'
import type { KeyRange, LevelHandle, OpenLevel } from '../../../../src/platform/level-handle.ts'

/** `nothing`: the failed write is not on the disk. `landed`: the write is on the disk, but its sync failed. */
export type Failure = 'nothing' | 'landed'
const MESSAGES = { ENOSPC: 'No space left on device', EIO: 'Input/output error' }

/** The files of one database: entries by key in hex. */
type Files = Map<string, Uint8Array>

export class TornDisk {
  /** Writes so far, in all databases. */
  writes = 0
  /** The number of the write that fails, counted from 1. */
  failAt = Number.POSITIVE_INFINITY
  failure: Failure = 'nothing'
  code: keyof typeof MESSAGES = 'ENOSPC'
  /** Openings that fail after the failed write, as on a disk that is still full. */
  failedOpenings = 0
  #hasFailed = false
  readonly #databases = new Map<string, Files>()

  readonly open: OpenLevel = async (dir, { create } = {}) => {
    if (this.#hasFailed && this.failedOpenings > 0) {
      this.failedOpenings--
      throw this.#error()
    }
    // The file stands for LevelDB's own files: a directory that somebody removes takes its database along.
    const marker = join(dir, 'CURRENT')
    if (create === true || (create === undefined && !this.#databases.has(dir))) {
      mkdirSync(dir, { recursive: true })
      writeFileSync(marker, '')
      this.#databases.set(dir, new Map())
    }
    const files = existsSync(marker) ? this.#databases.get(dir) : undefined
    if (files === undefined) throw new FederationError('STORE_MISSING', 'a database is missing', { dir })
    return this.#handle(files)
  }

  #handle(files: Files): LevelHandle {
    let isTorn = false
    // A failed handle shows its own writes only in memory.
    let shown = new Map(files)
    const within = ({ from, to }: KeyRange) =>
      [...shown].filter(([key]) => key >= toHex(from) && key < toHex(to)).sort(([a], [b]) => (a < b ? -1 : 1))
    return {
      get: async (key) => shown.get(toHex(key)),
      getMany: async (keys) => keys.map((key) => shown.get(toHex(key))),
      async *entries(range) {
        for (const [key, value] of within(range)) yield [[fromHex(key), value]]
      },
      async *keys(range) {
        for (const [key] of within(range)) yield [fromHex(key)]
      },
      last: async (range) =>
        within(range)
          .map(([key]) => fromHex(key))
          .at(-1),
      write: async (operations) => {
        const next = new Map(shown)
        for (const { key, value } of operations)
          value === undefined ? next.delete(toHex(key)) : next.set(toHex(key), value)
        const fails = ++this.writes === this.failAt
        if (!isTorn && (!fails || this.failure === 'landed')) {
          files.clear()
          for (const [key, value] of next) files.set(key, value)
        }
        if (fails) {
          isTorn = true
          this.#hasFailed = true
          throw this.#error()
        }
        shown = next
      },
      compact: async () => {},
      close: async () => {},
    }
  }

  #error(): Error {
    return Object.assign(new Error(`IO error: 000003.log: ${MESSAGES[this.code]}`), { code: 'LEVEL_IO_ERROR' })
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
