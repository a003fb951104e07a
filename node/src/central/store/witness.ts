/**
 * How many writes the database `meta` has had, kept in a file of its own. PROTOCOL.md §8. LevelDB opens a database without
 * an error after it lost the end of its log, and no record inside the database can show that. `meta` itself keeps the
 * writes of each day. The file is written some seconds after a change and at the closing of the store.
 */
import { join } from 'node:path'
import type { Clock } from '@geotrace/core-wasm'
import { isFederationError } from '@geotrace/core-wasm/wire'
import { readCheckedFile, writeCheckedFile } from './checked-file.ts'

const NAME = 'witness.json'
/** Between two writings of the file. A loss is certain to show when the lost writes are older. */
const WRITE_MS = 10_000

interface Witness {
  /** The writes that the database must have. */
  readonly atLeast: number
  /** Notes the writes so far. */
  note(writes: number): void
  close(): Promise<void>
}

/** A missing or damaged file proves no loss: then the database must have 0 writes. */
export async function openWitness(dir: string, clock: Clock): Promise<Witness> {
  const path = join(dir, NAME)
  const atLeast = await read(path)
  let [noted, written] = [atLeast, atLeast]
  let cancel: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()

  const write = (): void => {
    cancel = undefined
    const writes = noted
    if (writes === written) return
    // A full disk leaves the older file, which is still true.
    writing = writeCheckedFile(path, { writes }).then(
      () => {
        written = writes
      },
      () => {},
    )
  }
  return {
    atLeast,
    note(writes) {
      noted = Math.max(noted, writes)
      if (noted > written) cancel ??= clock.setTimer(write, WRITE_MS)
    },
    async close() {
      cancel?.()
      await writing
      write()
      await writing
    },
  }
}

async function read(path: string): Promise<number> {
  try {
    const writes = ((await readCheckedFile(path)) as { writes?: unknown } | undefined)?.writes
    return typeof writes === 'number' ? writes : 0
  } catch (error) {
    if (isFederationError(error, 'STORAGE_CORRUPT')) return 0
    throw error
  }
}
