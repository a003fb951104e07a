/**
 * Checks the files of a LevelDB directory against the checksums that LevelDB writes and reads only in part. A flipped bit in
 * a table may end the process inside LevelDB (measured), so the check comes before the read. Format: LevelDB 1.20,
 * doc/table_format and doc/log_format. Throws STORAGE_CORRUPT.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FederationError } from '@geotrace/core-wasm/wire'
import type { KeyRange } from './level-handle.ts'

/** Two block handles in 40 bytes, then a number that marks a table. */
const FOOTER_BYTES = 48
const MAGIC = 0xdb4775248b80fb57n
/** The kind of a block and its checksum. */
const TRAILER_BYTES = 5
const MASK_DELTA = 0xa282ead8

/** Bytes of a block of the manifest, and of the head of each record in it. */
const LOG_BLOCK_BYTES = 32_768
const LOG_HEAD_BYTES = 7
/** A table has its keys with eight bytes more, which say the order of writes. */
const ORDER_BYTES = 8
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

/** A table, with its first and last key. */
export interface TableFile {
  readonly name: string
  readonly first: Uint8Array
  readonly last: Uint8Array
}

/**
 * The tables that the manifest of a directory lists. Other tables are the rest of an interrupted compaction.
 * Empty when the manifest cannot be read, which LevelDB reports by itself.
 */
export async function listTables(dir: string): Promise<TableFile[]> {
  try {
    const manifest = (await readFile(join(dir, 'CURRENT'), 'utf8')).trim()
    const live = new Map<number, TableFile>()
    for (const edit of logRecords(await readFile(join(dir, manifest)))) applyEdit(edit, live)
    return [...live.values()]
  } catch (error) {
    if (error instanceof RangeError || (error as NodeJS.ErrnoException).code !== undefined) return []
    throw error
  }
}

/**
 * Whether the manifest and the logs end with a whole record, and fit their checksums. LevelDB drops a part that does not
 * fit without an error, so only then it has everything that was written.
 */
export async function areLogsWhole(dir: string): Promise<boolean> {
  try {
    const manifest = (await readFile(join(dir, 'CURRENT'), 'utf8')).trim()
    const logs = (await readdir(dir)).filter((name) => name.endsWith('.log'))
    for (const name of [manifest, ...logs]) {
      const log = await readFile(join(dir, name))
      let end = 0
      for (const { at, size, content } of logFragments(log)) {
        if (content.length !== size || !isFitting(content, log.readUInt32LE(at), log.subarray(at + 6, at + 7)))
          return false
        end = at + LOG_HEAD_BYTES + size
      }
      if (end !== log.length) return false
    }
    return true
  } catch (error) {
    if (error instanceof RangeError || (error as NodeJS.ErrnoException).code !== undefined) return false
    throw error
  }
}

/** The records of a log: each is one fragment (kind 1), or a first, middle and last one (2, 3, 4). */
function* logRecords(log: Buffer): Generator<Buffer> {
  let parts: Buffer[] = []
  for (const { kind, content } of logFragments(log)) {
    parts.push(content)
    if (kind !== 1 && kind !== 4) continue
    yield Buffer.concat(parts)
    parts = []
  }
}

interface Fragment {
  readonly at: number
  readonly size: number
  readonly kind: number
  readonly content: Buffer
}

function* logFragments(log: Buffer): Generator<Fragment> {
  let at = 0
  while (at + LOG_HEAD_BYTES <= log.length) {
    const left = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES)
    if (left < LOG_HEAD_BYTES) {
      at += left
      continue
    }
    const [size, kind] = [log.readUInt16LE(at + 4), log[at + 6]!]
    yield { at, size, kind, content: log.subarray(at + LOG_HEAD_BYTES, at + LOG_HEAD_BYTES + size) }
    at += LOG_HEAD_BYTES + size
  }
}

function applyEdit(edit: Buffer, live: Map<number, TableFile>): void {
  const cursor = { at: 0, bytes: edit }
  while (cursor.at < edit.length) {
    const tag = readVarint(cursor)
    const numbers: number[] = []
    const keys: Buffer[] = []
    for (const field of EDIT_FIELDS[tag] ?? unknownTag(tag)) {
      const number = readVarint(cursor)
      if (field === 'number') numbers.push(number)
      else {
        keys.push(edit.subarray(cursor.at, cursor.at + number - ORDER_BYTES))
        cursor.at += number
      }
    }
    const name = `${String(numbers[1]).padStart(6, '0')}.ldb`
    if (tag === ADDED) live.set(numbers[1]!, { name, first: keys[0]!, last: keys[1]! })
    if (tag === DELETED) live.delete(numbers[1]!)
  }
}

function unknownTag(tag: number): never {
  throw new RangeError(`an edit has the unknown tag ${tag}`)
}

export interface TableChecks {
  /** Checks what LevelDB may read for the keys of a range. */
  range(range: KeyRange): Promise<void>
  /** Checks everything that no other check has read. */
  all(): Promise<void>
}

/** Checks of these tables. LevelDB may remove one at any time, so a missing table is none that is damaged. */
export function tableChecks(dir: string, tables: readonly TableFile[], what: string): TableChecks {
  const indexes = new Map<TableFile, Promise<TableIndex>>()
  /** `toBlocks`: the first number of a block to check, and the one after the last. */
  const check = async (
    table: TableFile,
    withBytes: WithBytes,
    toBlocks: (index: TableIndex) => [first: number, end: number],
  ): Promise<void> => {
    try {
      await withBytes(join(dir, table.name), async (bytes, fileBytes) => {
        if (!indexes.has(table)) indexes.set(table, readIndex(bytes, fileBytes))
        const index = await indexes.get(table)!
        const [first, end] = toBlocks(index)
        for (let n = first; n < end; n++) {
          if (index.sound.has(n)) continue
          await readBlock(bytes, index.handle(n))
          index.sound.add(n)
        }
      })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      if (!(error instanceof RangeError)) throw error
      const text = `the store is damaged (${what}, table ${table.name}); restore the last backup`
      throw new FederationError('STORAGE_CORRUPT', text, { what: `${what}, table ${table.name}` })
    }
  }
  return {
    async range({ from, to }) {
      for (const table of tables) {
        if (Buffer.compare(table.last, from) < 0 || Buffer.compare(table.first, to) > 0) continue
        await check(table, inParts, (index) => [index.find(from), Math.min(index.find(to) + 1, index.count)])
      }
    },
    async all() {
      for (const table of tables) await check(table, atOnce, ({ count }) => [0, count])
    },
  }
}

/** The bytes of a file. Reading beyond them throws RangeError. */
type Bytes = (at: number, size: number) => Promise<Buffer>
type WithBytes = (path: string, task: (bytes: Bytes, fileBytes: number) => Promise<void>) => Promise<void>

/** The first reads of a database need some KB each. A call in the thread pool would take ten times as long. */
const inParts: WithBytes = async (path, task) => {
  const file = openSync(path, 'r')
  try {
    const { size: fileBytes } = fstatSync(file)
    await task(async (at, size) => {
      assertInside(at, size, fileBytes)
      const bytes = Buffer.allocUnsafe(size)
      readSync(file, bytes, 0, size, at)
      return bytes
    }, fileBytes)
  } finally {
    closeSync(file)
  }
}

const atOnce: WithBytes = async (path, task) => {
  const file = await readFile(path)
  await task(async (at, size) => {
    assertInside(at, size, file.length)
    return file.subarray(at, at + size)
  }, file.length)
}

function assertInside(at: number, size: number, fileBytes: number): void {
  if (at < 0 || at + size > fileBytes) throw new RangeError('a table without its end')
}

interface BlockHandle {
  readonly offset: number
  readonly size: number
}
/** The data blocks of a table, in the order of their keys. */
interface TableIndex {
  readonly count: number
  /** The numbers of the blocks that were checked. */
  readonly sound: Set<number>
  handle(n: number): BlockHandle
  /** The first block that may have this key or a higher one; `count` when there is none. */
  find(key: Uint8Array): number
}

/** Reads and checks the index of a table, and the filter by which LevelDB says that the table does not have a key. */
async function readIndex(file: Bytes, fileBytes: number): Promise<TableIndex> {
  const footer = await file(fileBytes - FOOTER_BYTES, FOOTER_BYTES)
  if (footer.readBigUInt64LE(40) !== MAGIC) throw new RangeError('no table')
  const handles = { at: 0, bytes: footer }
  const metaindex = blockEntries(await readBlock(file, readHandle(handles)))
  const index = blockEntries(await readBlock(file, readHandle(handles)))
  // No byte between the handles and the mark means anything, so LevelDB writes zeros.
  if (footer.subarray(handles.at, 40).some((byte) => byte !== 0))
    throw new RangeError('a footer with more than handles')
  const toHandle = (value: Uint8Array): BlockHandle => readHandle({ at: 0, bytes: value })
  for (let n = 0; n < metaindex.count; n++) await readBlock(file, toHandle(metaindex.entry(n)[1]))
  return {
    count: index.count,
    sound: new Set(),
    handle: (n) => toHandle(index.entry(n)[1]),
    find(key) {
      let [low, high] = [0, index.count]
      while (low < high) {
        const middle = (low + high) >> 1
        const [last] = index.entry(middle)
        if (Buffer.compare(last.subarray(0, last.length - ORDER_BYTES), key) >= 0) high = middle
        else low = middle + 1
      }
      return low
    },
  }
}

function readHandle(cursor: Cursor): BlockHandle {
  return { offset: readVarint(cursor), size: readVarint(cursor) }
}

/** The content of a block. Throws RangeError unless its checksum fits. */
async function readBlock(file: Bytes, { offset, size }: BlockHandle): Promise<Buffer> {
  const block = await file(offset, size + TRAILER_BYTES)
  const content = block.subarray(0, size)
  if (!isFitting(content, block.readUInt32LE(size + 1), undefined, block.subarray(size, size + 1)))
    throw new RangeError('a block differs from its checksum')
  return content
}

/** Whether a masked checksum is that of these bytes. */
function isFitting(bytes: Uint8Array, stored: number, before = NO_BYTES, after = NO_BYTES): boolean {
  const crc = crc32c(after, crc32c(bytes, crc32c(before)))
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0 === stored
}

const NO_BYTES: Uint8Array = new Uint8Array(0)

interface Cursor {
  at: number
  readonly bytes: Uint8Array
}

/** The entries of an index or a metaindex, each of which has its whole key; then come their offsets and their number. */
function blockEntries(block: Buffer) {
  const count = block.readUInt32LE(block.length - 4)
  const offsets = block.length - 4 - 4 * count
  return {
    count,
    entry(n: number): [key: Uint8Array, value: Uint8Array] {
      const cursor = { at: block.readUInt32LE(offsets + 4 * n), bytes: block }
      const [shared, rest, size] = [readVarint(cursor), readVarint(cursor), readVarint(cursor)]
      if (shared > 0) throw new RangeError('an index with a part of a key')
      const end = cursor.at + rest
      return [block.subarray(cursor.at, end), block.subarray(end, end + size)]
    },
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

/** CRC-32C (RFC 3720, B.4), eight bytes at a time. `before`: the sum of the bytes before these. */
function crc32c(bytes: Uint8Array, before = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let crc = ~before
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
