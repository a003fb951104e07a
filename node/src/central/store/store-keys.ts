/**
 * The keys of a level store: one for the users' ids, one for `meta`, and one for each day. node/CENTRAL.md "The store, and
 * backups". They are in a file outside the store, so that a copy of the store alone says nothing. Retention destroys the
 * key of a day, and with it every copy of that day. Throws STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, FILE_EXPOSED, BUSY.
 */
import { createHmac } from 'node:crypto'
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { oneAtATime, type Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, hexToBytes } from '@geotrace/core-wasm/wire'
import { toDiskError } from '../../platform/disk-error.ts'
import { readCheckedFile, writeCheckedFile } from './checked-file.ts'
import { corrupt } from './sealed-value.ts'

const VERSION = 1
const KEY_BYTES = 32
/** 128 bits: the chance that two of a billion users have the same key is 10^-21. */
const USER_KEY_BYTES = 16
/** The permission bits of the group and of all other users. */
const OTHERS = 0o077
/** A key in the file. */
export const KEY_HEX = /^[0-9a-f]{64}$/

export interface StoreKeys {
  readonly users: Uint8Array
  readonly meta: Uint8Array
  /** Undefined when the key was destroyed. Throws STORAGE_CORRUPT when it is missing for another reason. */
  day(day: number): Uint8Array | undefined
  /** The key of a day. A new one is durable when the promise resolves. */
  make(day: number): Promise<Uint8Array>
  /** Destroys the keys of the days before `day`. */
  dropBefore(day: number): Promise<void>
}

/** The content of the file; keys as hex, those of days by their number. */
interface KeyFile {
  version: number
  users: string
  meta: string
  /** The keys of the days before are destroyed. */
  floor: number
  days: Record<string, string>
}

/** Reads the keys. With `isFounding`, makes those of a new store, and keeps an existing file for the store before. */
export async function openStoreKeys(path: string, random: Random, isFounding: boolean): Promise<StoreKeys> {
  const exclusive = oneAtATime()
  const fresh = (): string => makeKeyHex(random)
  const make = (): KeyFile => ({ version: VERSION, users: fresh(), meta: fresh(), floor: 0, days: {} })
  const missing = 'mount the right disk, or restore its copy'
  const { content, write } = await openKeyFile({ path, isFounding, read, make, missing })
  let known = content
  return {
    users: hexToBytes(known.users),
    meta: hexToBytes(known.meta),
    day(day) {
      const key = known.days[day]
      if (key !== undefined) return hexToBytes(key)
      return day < known.floor ? undefined : corrupt(`the key of day ${day}`)
    },
    make: (day) =>
      exclusive(async () => {
        const key = known.days[day] ?? fresh()
        if (known.days[day] === undefined) {
          const next = { ...known, days: { ...known.days, [day]: key } }
          await write(next)
          known = next
        }
        return hexToBytes(key)
      }),
    dropBefore: (day) =>
      exclusive(async () => {
        if (day <= known.floor) return
        const days = Object.fromEntries(Object.entries(known.days).filter(([item]) => Number(item) >= day))
        const next = { ...known, floor: day, days }
        await write(next)
        known = next
      }),
  }
}

/** The keyed hash under which both engines find a user. */
export function toUserKey(secret: Uint8Array, id: Uint8Array): Uint8Array {
  return createHmac('sha256', secret).update(id).digest().subarray(0, USER_KEY_BYTES)
}

/** The keys of a store on database servers. A directory may also have the keys of the store that was copied there. */
export function databaseKeyPath(dir: string): string {
  return join(dir, 'database.keys')
}

/** A new key, as the file has it. */
export function makeKeyHex(random: Random): string {
  return bytesToHex(random(KEY_BYTES))
}

interface KeyFileInit<T> {
  readonly path: string
  readonly isFounding: boolean
  /** The checked content; undefined when there is no file. */
  read(path: string): Promise<T | undefined>
  /** The content for a new store. */
  make(): T
  /** The advice when the file of an existing store is missing. */
  readonly missing: string
}

/** The content of a file of keys, and how to replace it. With `isFounding`, makes the file unless there is one. */
export async function openKeyFile<T extends object>({ path, isFounding, read, make, missing }: KeyFileInit<T>) {
  const write = async (content: T): Promise<void> => {
    try {
      await writeCheckedFile(path, content)
    } catch (error) {
      throw toDiskError(error, 'keys')
    }
  }
  await assertOwn(path)
  const known = await read(path)
  if (known !== undefined) return { content: known, write }
  if (!isFounding) {
    const text = `the key file of the store is missing; ${missing}`
    throw new FederationError('STORE_MISSING', text, { dir: path })
  }
  const content = make()
  await write(content)
  return { content, write }
}

/** Throws FILE_EXPOSED when others than the owner can access the keys. */
async function assertOwn(path: string): Promise<void> {
  const mode = process.platform === 'win32' ? 0 : ((await statOf(path))?.mode ?? 0)
  if ((mode & OTHERS) === 0) return
  const next = `run \`chmod 600 '${path}'\`, and found a new store if somebody may have read the keys`
  const text = `other users of this machine can access ${path} (mode ${(mode & 0o777).toString(8).padStart(4, '0')}); ${next}`
  throw new FederationError('FILE_EXPOSED', text, { path, next })
}

/** Whether one disk holds both the keys and the store, so that a thief of the disk can read it. */
export async function isOneDisk(keyPath: string, dir: string): Promise<boolean> {
  return (await statOf(keyPath))?.dev === (await statOf(dir))?.dev
}

async function statOf(path: string): Promise<Stats | undefined> {
  return await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

async function read(path: string): Promise<KeyFile | undefined> {
  const content = (await readCheckedFile(path)) as Partial<KeyFile> | undefined
  if (content === undefined) return undefined
  const { version, users = '', meta = '', floor, days = {} } = content
  const keys = [users, meta, ...Object.values(days)]
  if (version !== VERSION || !keys.every((key) => KEY_HEX.test(key)) || !Number.isInteger(floor)) return corrupt('keys')
  return content as KeyFile
}
