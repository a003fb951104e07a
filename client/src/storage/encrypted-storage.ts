/**
 * A storage whose disk sees neither values nor keys, because keys name times. README "What is stored". Each entry is sealed
 * under a key that the app supplies, and stands under a random name. Throws STORAGE_CORRUPT.
 *
 *  Entry, under 12 random bytes in hex { u8 iv[12]; u8 sealed[] }
 *  sealed = AES-256-GCM(mark ‖ u16 keyBytes ‖ key ‖ value); the header is the entry's own name, so that two cannot be exchanged.
 *  mark: 16 random bytes for each writing of an entry. The index (name: zeros) seals the XOR of all marks.
 *
 * A deleted entry and an older copy of one do not fit the index. Visible: the number of entries, their sizes, and when they
 * are written. An older copy of the whole disk, and a disk that was emptied, are not noticed.
 */

import { FederationError, oneAtATime, type Random } from '@geotrace/core-wasm'
import { bytesToHex, byteWriter, concatBytes, equalBytes, utf8 } from '@geotrace/core-wasm/wire'
import { bytesToKey, IV_BYTES, open, seal } from './cipher.ts'
import { type SortedKeys, sortedKeys } from './sorted-keys.ts'
import type { Storage, StorageOperation } from './storage.ts'

const NAME_BYTES = 12
const MARK_BYTES = 16
/** An entry has this name with a probability of 2^-96. */
const INDEX_NAME = '00'.repeat(NAME_BYTES)
/** Reads under way at once. A disk answers one read at a time, each in a turn of the event loop. */
const READS_IN_PARALLEL = 64
/** More than fourteen days have, each entry of some 40 bytes. */
const UNREAD_MAX = 16_384

/** AES-GCM, 256 bits, usages encrypt and decrypt; need not be extractable. Or the 32 bytes themselves. */
export type StorageKey = CryptoKey | Uint8Array

/** Throws STORAGE_CORRUPT when `key` does not open what `inner` holds, or an entry was changed. */
export async function encryptedStorage(
  inner: Storage,
  key: StorageKey,
  random: Random = (n) => crypto.getRandomValues(new Uint8Array(n)),
): Promise<Storage> {
  const entries = entryCipher(key instanceof Uint8Array ? await bytesToKey(key) : key, random)
  let { names, marks, unread } = await readNames(inner, entries)
  /** A failed batch may be on the disk or not, so only the disk knows the entries. */
  let isUncertain = false
  const turn = oneAtATime()

  async function certain(): Promise<void> {
    if (!isUncertain) return
    ;({ names, marks, unread } = await readNames(inner, entries))
    isUncertain = false
  }

  async function get(wanted: string): Promise<Uint8Array | undefined> {
    if (isUncertain) await turn(certain)
    const name = names.get(wanted)
    if (name === undefined) return undefined
    const known = unread.get(name)
    if (unread.delete(name)) return known
    const bytes = await inner.get(name)
    // The entry was deleted during the read.
    if (bytes === undefined && names.get(wanted) !== name) return undefined
    if (bytes === undefined) throw corrupt('an entry is missing')
    const { mark, value } = await entries.open(name, bytes)
    if (names.get(wanted) === name && !equalBytes(mark, marks.of(name))) {
      // Read before a batch that was written meanwhile, or an older copy.
      const again = await inner.get(name)
      if (again !== undefined && equalBytes(again, bytes)) throw corrupt('an entry is an older copy')
      return get(wanted)
    }
    return value
  }

  return {
    get,
    batch: (changes) =>
      turn(async () => {
        await certain()
        const last = [...new Map(changes.map((change) => [change.key, change])).values()]
        const sealed = await Promise.all(
          last.map((change) => sealChange(change, names.get(change.key), entries, random)),
        )
        const changed = sealed.flatMap(({ operations: [item], mark }) => (item ? [{ name: item.key, mark }] : []))
        const value = await entries.seal(INDEX_NAME, {
          mark: marks.totalWith(changed),
          key: '',
          value: new Uint8Array(),
        })
        const operations = sealed.flatMap((item) => item.operations)
        for (const { key } of operations) unread.delete(key)
        await inner.batch([...operations, { type: 'put', key: INDEX_NAME, value }]).catch((error: unknown) => {
          isUncertain = true
          throw error
        })
        for (const { name, mark } of changed) marks.set(name, mark)
        for (const [i, { name }] of sealed.entries()) names.set(last[i]!.key, name)
      }),
    async *range(prefix) {
      if (isUncertain) await turn(certain)
      yield* readInParallel(names.range(prefix), get)
    },
    close: () => turn(() => inner.close()),
  }
}

/** Entries that are gone are left out. */
async function* readInParallel(
  keys: readonly string[],
  get: Storage['get'],
): AsyncGenerator<[key: string, value: Uint8Array]> {
  for (let i = 0; i < keys.length; i += READS_IN_PARALLEL) {
    const part = keys.slice(i, i + READS_IN_PARALLEL)
    const values = await Promise.all(part.map(get))
    for (const [k, value] of values.entries()) if (value !== undefined) yield [part[k]!, value]
  }
}

interface Sealed {
  readonly name: string | undefined
  readonly mark: Uint8Array | undefined
  readonly operations: StorageOperation[]
}

interface Opened {
  readonly names: SortedKeys
  readonly marks: Marks
  /**
   * At most `UNREAD_MAX` values by name, each for the first read after the opening. An app reads its whole diary then.
   * To open an entry again takes as long as the first time.
   */
  readonly unread: Map<string, Uint8Array>
}

/**
 * Opens every entry once, because the key of an entry stands only inside its sealed bytes. Throws STORAGE_CORRUPT when the
 * entries do not fit the index.
 */
async function readNames(inner: Storage, entries: EntryCipher): Promise<Opened> {
  const names = new Map<string, string>()
  const marks = new Marks()
  const unread = new Map<string, Uint8Array>()
  let index: Uint8Array | undefined
  const all: [name: string, bytes: Uint8Array][] = []
  for await (const entry of inner.range('')) all.push(entry)
  for (let i = 0; i < all.length; i += READS_IN_PARALLEL) {
    const opened = all.slice(i, i + READS_IN_PARALLEL).map(async ([name, bytes]) => {
      const { mark, key, value } = await entries.open(name, bytes)
      if (name === INDEX_NAME) index = mark
      else {
        names.set(key, name)
        marks.set(name, mark)
        if (unread.size < UNREAD_MAX) unread.set(name, value)
      }
    })
    await Promise.all(opened)
  }
  if (all.length > 0 && (index === undefined || !equalBytes(index, marks.totalWith([])))) {
    throw corrupt('an entry is missing or an older copy')
  }
  return { names: sortedKeys(names), marks, unread }
}

/** The marks of all entries and their XOR. A person without the key knows no mark, and so cannot choose entries that fit. */
class Marks {
  readonly #marks = new Map<string, Uint8Array>()
  #total: Uint8Array = new Uint8Array(MARK_BYTES)

  of(name: string): Uint8Array {
    return this.#marks.get(name) ?? new Uint8Array(MARK_BYTES)
  }

  /** Undefined deletes the entry. */
  set(name: string, mark: Uint8Array | undefined): void {
    this.#total = this.totalWith([{ name, mark }])
    if (mark === undefined) this.#marks.delete(name)
    else this.#marks.set(name, mark)
  }

  /** The XOR after these changes, each of another entry. */
  totalWith(changes: readonly { name: string; mark: Uint8Array | undefined }[]): Uint8Array {
    const total = this.#total.slice()
    for (const { name, mark } of changes) {
      const before = this.of(name)
      for (let i = 0; i < MARK_BYTES; i++) total[i]! ^= before[i]! ^ (mark?.[i] ?? 0)
    }
    return total
  }
}

interface Entry {
  readonly mark: Uint8Array
  readonly key: string
  readonly value: Uint8Array
}

/** Seals a change of the entry that stands under `known`, or under a new name. */
async function sealChange(
  change: StorageOperation,
  known: string | undefined,
  entries: EntryCipher,
  random: Random,
): Promise<Sealed> {
  if (change.type === 'del') {
    return { name: undefined, mark: undefined, operations: known === undefined ? [] : [{ type: 'del', key: known }] }
  }
  const name = known ?? bytesToHex(random(NAME_BYTES))
  const mark = random(MARK_BYTES)
  const value = await entries.seal(name, { mark, key: change.key, value: change.value })
  return { name, mark, operations: [{ type: 'put', key: name, value }] }
}

interface EntryCipher {
  seal(name: string, entry: Entry): Promise<Uint8Array>
  open(name: string, bytes: Uint8Array): Promise<Entry>
}

function entryCipher(cryptoKey: CryptoKey, random: Random): EntryCipher {
  return {
    async seal(name, { mark, key, value }) {
      const head = utf8(key)
      const writer = byteWriter(MARK_BYTES + 2 + head.length + value.length)
      const plain = writer.bytes(mark).u16(head.length).bytes(head).bytes(value).finish()
      const iv = random(IV_BYTES)
      return concatBytes(iv, await seal(cryptoKey, { iv, header: utf8(name) }, plain))
    },
    async open(name, bytes) {
      let plain: Uint8Array
      try {
        const iv = bytes.subarray(0, IV_BYTES)
        plain = await open(cryptoKey, { iv, header: utf8(name) }, bytes.subarray(IV_BYTES))
      } catch (cause) {
        throw corrupt('the key does not open this storage, or an entry was changed', cause)
      }
      const keyAt = MARK_BYTES + 2
      const valueAt = keyAt + ((plain[MARK_BYTES]! << 8) | plain[MARK_BYTES + 1]!)
      const key = new TextDecoder().decode(plain.subarray(keyAt, valueAt))
      return { mark: plain.slice(0, MARK_BYTES), key, value: plain.slice(valueAt) }
    },
  }
}

function corrupt(reason: string, cause?: unknown): FederationError<'STORAGE_CORRUPT'> {
  return new FederationError('STORAGE_CORRUPT', reason, { what: 'sealed' }, { cause })
}
