/**
 * The list of erased users, by which a store from an older backup erases them again. node/CENTRAL.md "The store, and
 * backups". A line has the UTC day and the key under which the store found the user, which
 * says nothing without the store's key. Retention removes lines that no backup needs any more.
 */
import { open, readFile } from 'node:fs/promises'
import { bytesToHex, hexToBytes } from '@geotrace/core-wasm/wire'
import { replaceFile } from '../../platform/atomic-file.ts'
import { toDiskError } from '../../platform/disk-error.ts'

export interface ErasedUsers {
  /** Durable when the promise resolves. Throws STORAGE_FULL, BUSY. */
  note(key: Uint8Array, day: number): Promise<void>
  keys(): Promise<Uint8Array[]>
  dropBefore(day: number): Promise<void>
}

/** A power cut may leave a part of the last line, whose erasure was not acknowledged. */
const LINE = /^(\d{1,10}) ([0-9a-f]{34})$/

export function erasedUsers(path: string): ErasedUsers {
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
    async note(key, day) {
      try {
        const file = await open(path, 'a', 0o600)
        try {
          // The line break before it ends a line that a power cut left unfinished.
          await file.write(`\n${day} ${bytesToHex(key)}\n`)
          await file.sync()
        } finally {
          await file.close()
        }
      } catch (error) {
        throw toDiskError(error, 'erased-users')
      }
    },
    keys: async () => (await lines()).map(({ key }) => hexToBytes(key)),
    async dropBefore(day) {
      const all = await lines()
      const kept = all.filter((line) => line.day >= day)
      if (kept.length === all.length) return
      await replaceFile(path, kept.map((line) => `${line.day} ${line.key}\n`).join(''))
    },
  }
}
