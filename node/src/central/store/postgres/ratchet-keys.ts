/**
 * The keys of a store on database servers, which several processes share. node/CENTRAL.md "PostgreSQL". Each UTC day has
 * a key that follows from the key of the day before. So every process has the same keys without asking another.
 * Retention moves the file on to its first day, and nobody can go back. Throws STORE_MISSING, STORAGE_CORRUPT, FILE_EXPOSED.
 */
import { createHmac } from 'node:crypto'
import { oneAtATime, type Random } from '@geotrace/core-wasm'
import { bytesToHex, hexToBytes } from '@geotrace/core-wasm/wire'
import { readCheckedFile } from '../checked-file.ts'
import { corrupt } from '../sealed-value.ts'
import { KEY_HEX, makeKeyHex, openKeyFile } from '../store-keys.ts'

const VERSION = 2

export interface RatchetKeys {
  readonly users: Uint8Array
  readonly meta: Uint8Array
  /** The first day that has a key. */
  floor(): number
  /** Throws RangeError for a day before the floor. */
  day(day: number): Uint8Array
  /** Destroys the keys of the days before `day`. */
  dropBefore(day: number): Promise<void>
}
interface KeyFile {
  version: number
  users: string
  meta: string
  /** The first day that has a key, and the link of the chain from which its key and all later ones follow. */
  floor: number
  link: string
}

/** The part of a copy's keys that comes from its source. */
interface KeyOrigin {
  readonly userSecret: Uint8Array
  readonly floor: number
}

/** Reads the keys; with `isFounding`, makes those of a new store unless there is a file. */
export async function openRatchetKeys(
  path: string,
  random: Random,
  isFounding: boolean,
  origin?: KeyOrigin,
): Promise<RatchetKeys> {
  const exclusive = oneAtATime()
  const fresh = (): string => makeKeyHex(random)
  const make = (): KeyFile => {
    const users = origin === undefined ? fresh() : bytesToHex(origin.userSecret)
    return { version: VERSION, users, meta: fresh(), floor: origin?.floor ?? 0, link: fresh() }
  }
  const missing = 'copy it from another process, or restore its copy'
  const { content, write } = await openKeyFile({ path, isFounding, read, make, missing })
  let file = content
  /** The links of the days from the floor on, as far as they were needed. */
  let links = [hexToBytes(file.link)]
  const linkOf = (day: number): Uint8Array => {
    if (day < file.floor) throw new RangeError(`"day" expected ${file.floor} or later, got ${day}`)
    while (links.length <= day - file.floor) links.push(derive(links.at(-1)!, 'next'))
    return links[day - file.floor]!
  }
  return {
    users: hexToBytes(file.users),
    meta: hexToBytes(file.meta),
    floor: () => file.floor,
    day: (day) => derive(linkOf(day), 'day'),
    dropBefore: (day) =>
      exclusive(async () => {
        if (day <= file.floor) return
        const next = { ...file, floor: day, link: bytesToHex(linkOf(day)) }
        // Another process that shares the file may have moved it further on.
        if (((await read(path))?.floor ?? 0) < day) await write(next)
        file = next
        links = [hexToBytes(next.link)]
      }),
  }
}

function derive(link: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(createHmac('sha256', link).update(purpose).digest())
}

async function read(path: string): Promise<KeyFile | undefined> {
  const content = (await readCheckedFile(path)) as Partial<KeyFile> | undefined
  if (content === undefined) return undefined
  const { version, users = '', meta = '', floor, link = '' } = content
  if (version !== VERSION || ![users, meta, link].every((key) => KEY_HEX.test(key)) || !Number.isInteger(floor))
    return corrupt('keys')
  return content as KeyFile
}
