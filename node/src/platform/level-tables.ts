/**
 * Checks the tables of a LevelDB directory against the checksums that LevelDB writes and does not read. A flipped bit in a
 * table may end the process inside LevelDB (measured), so the check comes before the opening. Format: LevelDB 1.20,
 * doc/table_format. Throws STORAGE_CORRUPT.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FederationError } from '@geotrace/core-wasm/wire'

/** Two block handles in 40 bytes, then a number that marks a table. */
const FOOTER_BYTES = 48
const MAGIC = 0xdb4775248b80fb57n
/** The kind of a block and its checksum. */
const TRAILER_BYTES = 5
const MASK_DELTA = 0xa282ead8

/** Bytes of a block of the manifest, and of the head of each record in it. */
const LOG_BLOCK_BYTES = 32_768
const LOG_HEAD_BYTES = 7
/** The tags of an edit that a walk must know; a number, bytes, or both follow. */
const EDIT_FIELDS: Readonly<Record<number, readonly ('number' | 'bytes')[]>> = {
  1: ['bytes'],
  2: ['number'],
  3: ['number'],
  4: ['number'],
  5: ['number', 'bytes'],
  6: ['number', 'number'],
  7: ['number', 'number', 'number', 'bytes', 'bytes'],
  9: ['number'],
}
const [DELETED, ADDED] = [6, 7]

/**
 * The names of the tables that the manifest of a directory lists. Other tables are the rest of an interrupted compaction.
 * Empty when the manifest cannot be read, which LevelDB reports by itself.
 */
export async function listTables(dir: string): Promise<string[]> {
  try {
    const manifest = (await readFile(join(dir, 'CURRENT'), 'utf8')).trim()
    const live = new Set<number>()
    for (const edit of logRecords(await readFile(join(dir, manifest)))) applyEdit(edit, live)
    return [...live].map((number) => `${String(number).padStart(6, '0')}.ldb`)
  } catch (error) {
    if (error instanceof RangeError || (error as NodeJS.ErrnoException).code !== undefined) return []
    throw error
  }
}

/** The records of a log: each is one fragment (kind 1), or a first, middle and last one (2, 3, 4). */
function* logRecords(log: Buffer): Generator<Buffer> {
  let parts: Buffer[] = []
  let at = 0
  while (at + LOG_HEAD_BYTES <= log.length) {
    const left = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES)
    if (left < LOG_HEAD_BYTES) {
      at += left
      continue
    }
    const [size, kind] = [log.readUInt16LE(at + 4), log[at + 6]]
    parts.push(log.subarray(at + LOG_HEAD_BYTES, at + LOG_HEAD_BYTES + size))
    at += LOG_HEAD_BYTES + size
    if (kind !== 1 && kind !== 4) continue
    yield Buffer.concat(parts)
    parts = []
  }
}

function applyEdit(edit: Buffer, live: Set<number>): void {
  const cursor = { at: 0, bytes: edit }
  while (cursor.at < edit.length) {
    const tag = readVarint(cursor)
    const numbers: number[] = []
    for (const field of EDIT_FIELDS[tag] ?? unknownTag(tag)) {
      const number = readVarint(cursor)
      if (field === 'number') numbers.push(number)
      else cursor.at += number
    }
    if (tag === ADDED) live.add(numbers[1]!)
    if (tag === DELETED) live.delete(numbers[1]!)
  }
}

function unknownTag(tag: number): never {
  throw new RangeError(`an edit has the unknown tag ${tag}`)
}

/** Reads these tables. LevelDB may remove one at any time, so a missing table is none that is damaged. */
export async function verifyTables(dir: string, names: Iterable<string>, what: string): Promise<void> {
  for (const name of names) {
    const bytes = await readFile(join(dir, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (bytes === undefined || isSound(bytes)) continue
    const text = `the store is damaged (${what}, table ${name}); restore the last backup`
    throw new FederationError('STORAGE_CORRUPT', text, { what: `${what}, table ${name}` })
  }
}

function isSound(file: Buffer): boolean {
  try {
    const footer = file.subarray(file.length - FOOTER_BYTES)
    if (footer.length < FOOTER_BYTES || footer.readBigUInt64LE(40) !== MAGIC) return false
    const handles = { at: 0, bytes: footer }
    const metaindex = readBlock(file, readHandle(handles))
    const index = readBlock(file, readHandle(handles))
    // No byte between the handles and the mark means anything, so LevelDB writes zeros.
    if (footer.subarray(handles.at, 40).some((byte) => byte !== 0)) return false
    let end = 0
    for (const value of [...blockValues(index), ...blockValues(metaindex)]) {
      const handle = readHandle({ at: 0, bytes: value })
      readBlock(file, handle)
      end = Math.max(end, handle.offset + handle.size)
    }
    return end <= file.length
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

interface Cursor {
  at: number
  readonly bytes: Uint8Array
}
interface BlockHandle {
  readonly offset: number
  readonly size: number
}

function readHandle(cursor: Cursor): BlockHandle {
  return { offset: readVarint(cursor), size: readVarint(cursor) }
}

/** The content of a block. Throws RangeError unless its checksum fits. */
function readBlock(file: Buffer, { offset, size }: BlockHandle): Buffer {
  const content = file.subarray(offset, offset + size)
  const stored = file.readUInt32LE(offset + size + 1)
  const crc = crc32c(file.subarray(offset, offset + size + TRAILER_BYTES - 4))
  const masked = (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
  if (masked !== stored) throw new RangeError('a block differs from its checksum')
  return content
}

/** The values of a block: entries with prefix-compressed keys, then the offsets of restarts and their number. */
function* blockValues(block: Buffer): Generator<Uint8Array> {
  const end = block.length - 4 - 4 * block.readUInt32LE(block.length - 4)
  const cursor = { at: 0, bytes: block }
  while (cursor.at < end) {
    readVarint(cursor)
    const [rest, size] = [readVarint(cursor), readVarint(cursor)]
    yield block.subarray(cursor.at + rest, cursor.at + rest + size)
    cursor.at += rest + size
  }
}

function readVarint(cursor: Cursor): number {
  let [value, scale] = [0, 1]
  for (;;) {
    const byte = cursor.bytes[cursor.at++]
    if (byte === undefined || scale > Number.MAX_SAFE_INTEGER / 256) throw new RangeError('a number without an end')
    value += (byte & 127) * scale
    if (byte < 128) return value
    scale *= 128
  }
}

/** CRC-32C (RFC 3720, B.4), eight bytes at a time. */
function crc32c(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let crc = -1
  let at = 0
  for (const end = bytes.length - 7; at < end; at += 8) {
    const low = crc ^ view.getInt32(at, true)
    const high = view.getInt32(at + 4, true)
    crc =
      TABLES[1_792 + (low & 255)]! ^
      TABLES[1_536 + ((low >>> 8) & 255)]! ^
      TABLES[1_280 + ((low >>> 16) & 255)]! ^
      TABLES[1_024 + (low >>> 24)]! ^
      TABLES[768 + (high & 255)]! ^
      TABLES[512 + ((high >>> 8) & 255)]! ^
      TABLES[256 + ((high >>> 16) & 255)]! ^
      TABLES[high >>> 24]!
  }
  for (; at < bytes.length; at++) crc = TABLES[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Eight tables of 256 numbers: the n-th is for a byte that n bytes follow. */
const TABLES = makeTables()

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    tables[n] = crc
  }
  for (let n = 256; n < tables.length; n++) {
    const before = tables[n - 256]!
    tables[n] = tables[before & 255]! ^ (before >>> 8)
  }
  return tables
}
