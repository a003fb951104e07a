/**
 * One entry of a sealed storage, and the marks by which a missing or an older entry is noticed (encrypted-storage.ts has the
 * layout). Throws STORAGE_CORRUPT.
 */
import { FederationError, type Random } from '@geotrace/core-wasm'
import { byteWriter, concatBytes, utf8 } from '@geotrace/core-wasm/wire'
import { IV_BYTES, open, seal } from './cipher.ts'

export const SEAL_MARK_BYTES = 16

interface Entry {
  readonly mark: Uint8Array
  readonly key: string
  readonly value: Uint8Array
}

export interface EntryCipher {
  seal(name: string, entry: Entry): Promise<Uint8Array>
  open(name: string, bytes: Uint8Array): Promise<Entry>
}

export function entryCipher(cryptoKey: CryptoKey, random: Random): EntryCipher {
  return {
    async seal(name, { mark, key, value }) {
      const head = utf8(key)
      const writer = byteWriter(SEAL_MARK_BYTES + 2 + head.length + value.length)
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
        throw corruptEntry('the key does not open this storage, or an entry was changed', cause)
      }
      const keyAt = SEAL_MARK_BYTES + 2
      const valueAt = keyAt + ((plain[SEAL_MARK_BYTES]! << 8) | plain[SEAL_MARK_BYTES + 1]!)
      const key = new TextDecoder().decode(plain.subarray(keyAt, valueAt))
      return { mark: plain.slice(0, SEAL_MARK_BYTES), key, value: plain.slice(valueAt) }
    },
  }
}

/** The marks of all entries and their XOR. A person without the key knows no mark, and so cannot choose entries that fit. */
export class Marks {
  readonly #marks = new Map<string, Uint8Array>()
  #total: Uint8Array = new Uint8Array(SEAL_MARK_BYTES)

  of(name: string): Uint8Array {
    return this.#marks.get(name) ?? new Uint8Array(SEAL_MARK_BYTES)
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
      for (let i = 0; i < SEAL_MARK_BYTES; i++) total[i]! ^= before[i]! ^ (mark?.[i] ?? 0)
    }
    return total
  }
}

export function corruptEntry(reason: string, cause?: unknown): FederationError<'STORAGE_CORRUPT'> {
  return new FederationError('STORAGE_CORRUPT', reason, { what: 'sealed' }, { cause })
}
