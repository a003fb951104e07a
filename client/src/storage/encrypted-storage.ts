/**
 * A storage whose disk sees neither values nor keys, because keys name times. README "What is stored". Each entry is sealed
 * under a key that the app supplies, and stands under a random name. Throws STORAGE_CORRUPT.
 *
 *  Entry, under 12 random bytes in hex { u8 iv[12]; u8 sealed[] }
 *  sealed = AES-256-GCM(mark ‖ u16 keyBytes ‖ key ‖ value); the header is the entry's own name, so that two cannot be exchanged.
 *  mark: 16 random bytes for each writing of an entry. The index (name: zeros) seals the XOR of all marks.
 *  A page has no key, and its value holds up to 256 small entries (page.ts). The opening packs entries of a family into pages.
 *
 * A deleted entry and an older copy of one do not fit the index. Visible: the number of entries, their sizes, and when they
 * are written. An older copy of the whole disk, and a disk that was emptied, are not noticed.
 */

import { oneAtATime, type Random } from '@geotrace/core-wasm'
import { bytesToHex, equalBytes } from '@geotrace/core-wasm/wire'
import { bytesToKey } from './cipher.ts'
import { decodePage, encodePage, isPacked, type Page, toPages } from './page.ts'
import { corruptEntry, type EntryCipher, entryCipher, Marks, SEAL_MARK_BYTES } from './sealed-entry.ts'
import { type SortedKeys, sortedKeys } from './sorted-keys.ts'
import type { Storage, StorageOperation } from './storage.ts'

const NAME_BYTES = 12
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
  const storage = new SealedStorage(inner, entries, random, await readNames(inner, entries))
  await storage.pack()
  return storage
}

class SealedStorage implements Storage {
  readonly #inner: Storage
  readonly #entries: EntryCipher
  readonly #random: Random
  readonly #turn = oneAtATime()
  #opened: Opened
  /** A failed batch may be on the disk or not, so only the disk knows the entries. */
  #isUncertain = false

  constructor(inner: Storage, entries: EntryCipher, random: Random, opened: Opened) {
    this.#inner = inner
    this.#entries = entries
    this.#random = random
    this.#opened = opened
  }

  async get(wanted: string): Promise<Uint8Array | undefined> {
    if (this.#isUncertain) await this.#turn(() => this.#certain())
    const { names, marks, unread, pages } = this.#opened
    const name = names.get(wanted)
    if (name === undefined) return undefined
    const packed = pages.get(name)?.get(wanted)
    if (packed !== undefined) return packed.slice()
    const known = unread.get(name)
    if (unread.delete(name)) return known
    const bytes = await this.#inner.get(name)
    // The entry was deleted, or packed into a page, during the read.
    if (bytes === undefined && names.get(wanted) !== name) return undefined
    if (bytes === undefined) throw corruptEntry('an entry is missing')
    const { mark, value } = await this.#entries.open(name, bytes)
    if (names.get(wanted) === name && !equalBytes(mark, marks.of(name))) {
      // Read before a batch that was written meanwhile, or an older copy.
      const again = await this.#inner.get(name)
      if (again !== undefined && equalBytes(again, bytes)) throw corruptEntry('an entry is an older copy')
      return this.get(wanted)
    }
    return value
  }

  batch(changes: readonly StorageOperation[]): Promise<void> {
    return this.#turn(async () => {
      await this.#certain()
      const { names, pages } = this.#opened
      const last = [...new Map(changes.map((change) => [change.key, change])).values()]
      const rests = await Promise.all(toRests(last, names, pages).map(([name, rest]) => this.#sealPage(rest, name)))
      const sealed = await Promise.all(
        last.map((change) => {
          const known = names.get(change.key)
          return this.#sealChange(change, known !== undefined && pages.has(known) ? undefined : known)
        }),
      )
      await this.#write([...rests, ...sealed.filter((item) => item !== undefined)])
      for (const [i, { key }] of last.entries()) names.set(key, sealed[i]?.mark && sealed[i].name)
    })
  }

  async *range(prefix: string): AsyncGenerator<[key: string, value: Uint8Array]> {
    if (this.#isUncertain) await this.#turn(() => this.#certain())
    yield* readInParallel(this.#opened.names.range(prefix), (key) => this.get(key))
  }

  close(): Promise<void> {
    return this.#turn(() => this.#inner.close())
  }

  /** Called once, before the first read: an opening is fast when it has few disk entries to read. A full disk changes nothing. */
  async pack(): Promise<void> {
    const { names, pages, unread } = this.#opened
    const loose = names.range('').filter((key) => !pages.has(names.get(key)!))
    const found = toPages(loose.map((key) => [key, unread.get(names.get(key)!)] as const))
    if (found.length === 0) return
    const sealed = await Promise.all(found.map((page) => this.#sealPage(page, this.#newName())))
    const gone = found.flatMap((page) => [...page.keys()].map((key) => deletion(names.get(key)!)))
    try {
      await this.#write([...sealed, ...gone])
    } catch {
      return this.#certain()
    }
    for (const [i, { name }] of sealed.entries()) for (const key of found[i]!.keys()) names.set(key, name)
  }

  async #certain(): Promise<void> {
    if (!this.#isUncertain) return
    this.#opened = await readNames(this.#inner, this.#entries)
    this.#isUncertain = false
  }

  async #write(writings: readonly Writing[]): Promise<void> {
    const { marks, unread, pages } = this.#opened
    const index = { mark: marks.totalWith(writings), key: '', value: new Uint8Array() }
    const value = await this.#entries.seal(INDEX_NAME, index)
    for (const { name } of writings) unread.delete(name)
    await this.#inner
      .batch([...writings.map(toOperation), { type: 'put', key: INDEX_NAME, value }])
      .catch((error: unknown) => {
        this.#isUncertain = true
        throw error
      })
    for (const { name, mark, page } of writings) {
      marks.set(name, mark)
      if (page === undefined) pages.delete(name)
      else pages.set(name, page)
    }
  }

  async #sealPage(page: Page, name: string): Promise<Writing> {
    if (page.size === 0) return deletion(name)
    const mark = this.#random(SEAL_MARK_BYTES)
    return { name, mark, value: await this.#entries.seal(name, { mark, key: '', value: encodePage(page) }), page }
  }

  /** A change of the entry that stands under `known`, or under a new name. Undefined when nothing is to be deleted. */
  async #sealChange(change: StorageOperation, known: string | undefined): Promise<Writing | undefined> {
    if (change.type === 'del') return known === undefined ? undefined : deletion(known)
    const name = known ?? this.#newName()
    const mark = this.#random(SEAL_MARK_BYTES)
    return { name, mark, value: await this.#entries.seal(name, { mark, key: change.key, value: change.value }) }
  }

  #newName(): string {
    return bytesToHex(this.#random(NAME_BYTES))
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

/** The new state of a disk entry. Without a mark and a value it is deleted. */
interface Writing {
  readonly name: string
  readonly mark: Uint8Array | undefined
  readonly value: Uint8Array | undefined
  /** The content of a page that stays. */
  readonly page?: Page
}

function toOperation({ name, value }: Writing): StorageOperation {
  return value === undefined ? { type: 'del', key: name } : { type: 'put', key: name, value }
}

function deletion(name: string): Writing {
  return { name, mark: undefined, value: undefined }
}

/** The pages that hold a changed key, each without its changed keys. */
function toRests(
  changes: readonly StorageOperation[],
  names: SortedKeys,
  pages: ReadonlyMap<string, Page>,
): [name: string, rest: Page][] {
  const rests = new Map<string, Map<string, Uint8Array>>()
  for (const { key } of changes) {
    const name = names.get(key)
    const page = name === undefined ? undefined : pages.get(name)
    if (name === undefined || page === undefined) continue
    const rest = rests.get(name) ?? new Map(page)
    rest.delete(key)
    rests.set(name, rest)
  }
  return [...rests]
}

interface Opened {
  readonly names: SortedKeys
  readonly marks: Marks
  /**
   * At most `UNREAD_MAX` values by name, each for the first read after the opening. An app reads its whole diary then.
   * To open an entry again takes as long as the first time.
   */
  readonly unread: Map<string, Uint8Array>
  /** By name. Fourteen full days are some 3 MB. */
  readonly pages: Map<string, Page>
}

/**
 * Opens every entry once, because the key of an entry stands only inside its sealed bytes. Throws STORAGE_CORRUPT when the
 * entries do not fit the index.
 */
async function readNames(inner: Storage, entries: EntryCipher): Promise<Opened> {
  const names = new Map<string, string>()
  const marks = new Marks()
  const unread = new Map<string, Uint8Array>()
  const pages = new Map<string, Page>()
  let index: Uint8Array | undefined
  const all: [name: string, bytes: Uint8Array][] = []
  for await (const entry of inner.range('')) all.push(entry)
  for (let i = 0; i < all.length; i += READS_IN_PARALLEL) {
    const opened = all.slice(i, i + READS_IN_PARALLEL).map(async ([name, bytes]) => {
      const { mark, key, value } = await entries.open(name, bytes)
      if (name === INDEX_NAME) {
        index = mark
        return
      }
      marks.set(name, mark)
      if (isPacked(key)) {
        const page = decodePage(value)
        pages.set(name, page)
        for (const item of page.keys()) names.set(item, name)
      } else {
        names.set(key, name)
        if (unread.size < UNREAD_MAX) unread.set(name, value)
      }
    })
    await Promise.all(opened)
  }
  if (all.length > 0 && (index === undefined || !equalBytes(index, marks.totalWith([])))) {
    throw corruptEntry('an entry is missing or an older copy')
  }
  return { names: sortedKeys(names), marks, unread, pages }
}
