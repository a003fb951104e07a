/**
 * The tallies that the databases of a store had, kept in a file of its own. PROTOCOL.md §8. LevelDB opens a database without
 * an error after it lost the end of its log, and no record inside the database can show that. The file is written some
 * seconds after a change and at the closing of the store.
 */
import { join } from 'node:path'
import type { Clock } from '@geotrace/core-wasm'
import { bytesToHex, hexToBytes, isFederationError } from '@geotrace/core-wasm/wire'
import { readCheckedFile, writeCheckedFile } from '../checked-file.ts'
import { decodeTally, encodeTally, type Tally } from './tally.ts'

const NAME = 'witness.json'
/** Between two writings of the file. A loss is certain to show when the lost writes are older. */
const WRITE_MS = 10_000

export interface Witness {
  /** A tally that the database of this name had. */
  known(name: string): Tally | undefined
  /** Notes the tally of a database so far. */
  note(name: string, tally: Tally): void
  /** Forgets a database that was removed. */
  forget(name: string): void
  close(): Promise<void>
}

/** A missing or damaged file proves no loss: then no tally is known. */
export async function openWitness(dir: string, clock: Clock): Promise<Witness> {
  const path = join(dir, NAME)
  const tallies = await read(path)
  let isChanged = false
  let cancel: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()

  const write = (): void => {
    cancel = undefined
    if (!isChanged) return
    isChanged = false
    const hex = Object.fromEntries([...tallies].map(([name, tally]) => [name, bytesToHex(encodeTally(tally))]))
    // A full disk leaves the older file, which is still true.
    writing = writeCheckedFile(path, { tallies: hex }).catch(() => {
      isChanged = true
    })
  }
  const change = (): void => {
    isChanged = true
    cancel ??= clock.setTimer(write, WRITE_MS)
  }
  return {
    known: (name) => tallies.get(name),
    note(name, tally) {
      tallies.set(name, tally)
      change()
    },
    forget(name) {
      if (tallies.delete(name)) change()
    },
    async close() {
      cancel?.()
      await writing
      write()
      await writing
    },
  }
}

async function read(path: string): Promise<Map<string, Tally>> {
  try {
    const { tallies = {} } = ((await readCheckedFile(path)) ?? {}) as { tallies?: Record<string, string> }
    return new Map(Object.entries(tallies).map(([name, hex]) => [name, decodeTally(hexToBytes(hex))]))
  } catch (error) {
    if (isFederationError(error, 'STORAGE_CORRUPT')) return new Map()
    throw error
  }
}
