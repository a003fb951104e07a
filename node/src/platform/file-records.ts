/**
 * Small values that outlive the process: certified rosters, the cast vote, the signed sheets, the keys of a role.
 * A value is written atomically and synced before `put` resolves. Throws STORAGE_CORRUPT for a damaged
 * value, STORAGE_FULL and BUSY for a failed write, which leaves the old value.
 */

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { turns } from '@geotrace/core-wasm'
import { byteWriter, FederationError } from '@geotrace/core-wasm/wire'
import { makePrivateDir, replaceFile, syncDirectory } from './atomic-file.ts'
import { toDiskError } from './disk-error.ts'

const CRC_BYTES = 4

/** Names consist of a–z, 0–9 and hyphens. */
export interface Records {
  /** Throws STORAGE_CORRUPT. */
  get(name: string): Promise<Uint8Array | undefined>
  put(name: string, value: Uint8Array): Promise<void>
  /** Reads, changes and writes a value without another write in between. Throws STORAGE_CORRUPT. */
  update(name: string, change: (value: Uint8Array | undefined) => Uint8Array): Promise<void>
  /** Removes a value, if there is one. */
  remove(name: string): Promise<void>
}

/** Opens the records of a directory. */
export type OpenRecords = (dir: string) => Promise<Records>

/** Records as files of mode 0600 in `dir`, each followed by its CRC-32. */
export async function fileRecords(dir: string): Promise<Records> {
  await makePrivateDir(dir)
  const writers = turns<string>(1)
  const get: Records['get'] = (name) => readRecord(dir, name)
  const guard = async (name: string, task: () => Promise<void>): Promise<void> => {
    try {
      await task()
    } catch (error) {
      throw toDiskError(error, name)
    }
  }
  const write = (name: string, value: Uint8Array): Promise<void> =>
    guard(name, () => replaceFile(join(dir, name), withChecksum(value)))
  return {
    get,
    put: (name, value) => writers.run(name, () => write(name, value)),
    update: (name, change) => writers.run(name, async () => write(name, change(await get(name)))),
    remove: (name) =>
      writers.run(name, () =>
        guard(name, async () => {
          await rm(join(dir, name), { force: true })
          await syncDirectory(dir)
        }),
      ),
  }
}

/** Reads one record and changes nothing; undefined when there is none. Throws STORAGE_CORRUPT. */
export async function readRecord(dir: string, name: string): Promise<Uint8Array | undefined> {
  const bytes = await readIfThere(join(dir, name))
  if (bytes === undefined) return undefined
  const value = new Uint8Array(bytes.subarray(0, -CRC_BYTES))
  if (bytes.length < CRC_BYTES || bytes.readUInt32BE(bytes.length - CRC_BYTES) !== crc32(value)) {
    throw new FederationError('STORAGE_CORRUPT', `the record ${name} does not match its checksum`, { what: name })
  }
  return value
}

function withChecksum(value: Uint8Array): Uint8Array {
  return byteWriter(value.length + CRC_BYTES)
    .bytes(value)
    .u32(crc32(value))
    .finish()
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}
