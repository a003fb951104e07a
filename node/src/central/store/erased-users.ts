/**
 * The list of erased users, by which a store from an older backup erases them again. node/CENTRAL.md "The store, and
 * backups". A line has the UTC day and the key under which the store found the user, which
 * says nothing without the store's key. Retention removes lines that no backup needs any more.
 */
import { open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { oneAtATime } from '@geotrace/core-wasm'
import { bytesToHex, hexToBytes } from '@geotrace/core-wasm/wire'
import { replaceFile, syncDirectory } from '../../platform/atomic-file.ts'
import { toDiskError } from '../../platform/disk-error.ts'

export interface ErasedUsers {
  /** Durable when the promise resolves. Throws STORAGE_FULL, BUSY. */
  note(key: Uint8Array, day: number): Promise<void>
  list(): Promise<{ readonly day: number; readonly key: Uint8Array }[]>
  dropBefore(day: number): Promise<void>
}

/** A power cut or a full disk may leave a part of a line, whose erasure was not acknowledged. */
const LINE = /^(\d{1,10}) ([0-9a-f]{32})$/

export function erasedUsers(path: string): ErasedUsers {
  // A line that came while the file is replaced would be lost.
  const inTurn = oneAtATime()
  const guard = <T>(task: () => Promise<T>): Promise<T> =>
    inTurn(async () => {
      try {
        return await task()
      } catch (error) {
        throw toDiskError(error, 'erased-users')
      }
    })
  const lines = async (): Promise<{ day: number; key: string }[]> => {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    return text.split('\n').flatMap((line) => {
      const [, day, key] = LINE.exec(line) ?? []
      return day === undefined ? [] : [{ day: Number(day), key: key! }]
    })
  }
  return {
    note: (key, day) =>
      guard(async () => {
        const file = await open(path, 'a', 0o600)
        try {
          // The line break before it ends a line that a full disk or a power cut left unfinished.
          await file.appendFile(`\n${day} ${bytesToHex(key)}\n`)
          await file.sync()
        } finally {
          await file.close()
        }
        await syncDirectory(dirname(path))
      }),
    list: () => guard(async () => (await lines()).map(({ day, key }) => ({ day, key: hexToBytes(key) }))),
    dropBefore: (day) =>
      guard(async () => {
        const all = await lines()
        const kept = all.filter((line) => line.day >= day)
        if (kept.length === all.length) return
        await replaceFile(path, kept.map((line) => `${line.day} ${line.key}\n`).join(''))
      }),
  }
}
