/**
 * A storage whose disk sees neither values nor keys, because keys name times. README "What is stored". Each entry is sealed
 * under a key that the app supplies, and stands under a random name. Throws STORAGE_CORRUPT.
 *
 *  Entry, under 12 random bytes in hex { u8 iv[12]; u8 sealed[] }
 *  sealed = AES-256-GCM(u16 keyBytes ‖ key ‖ value); the header is the entry's own name, so that two cannot be exchanged.
 *
 * Visible: the number of entries, their sizes, and when they are written. An older copy of the whole disk is not noticed.
 */

import { FederationError, oneAtATime, type Random } from '@geotrace/core-wasm'
import { bytesToHex, byteWriter, concatBytes, utf8 } from '@geotrace/core-wasm/wire'
import { bytesToKey, IV_BYTES, open, seal } from './cipher.ts'
import { sortedKeys } from './sorted-keys.ts'
import type { Storage, StorageOperation } from './storage.ts'

const NAME_BYTES = 12
/** Reads under way at once. A disk answers one read at a time, each in a turn of the event loop. */
const READS_IN_PARALLEL = 64

/** AES-GCM, 256 bits, usages encrypt and decrypt; need not be extractable. Or the 32 bytes themselves. */
export type StorageKey = CryptoKey | Uint8Array

/** Throws STORAGE_CORRUPT when `key` does not open what `inner` holds, or an entry was changed. */
export async function encryptedStorage(
  inner: Storage,
  key: StorageKey,
  random: Random = (n) => crypto.getRandomValues(new Uint8Array(n)),
): Promise<Storage> {
  const entries = entryCipher(key instanceof Uint8Array ? await bytesToKey(key) : key, random)
  const names = sortedKeys(await readNames(inner, entries))
  const turn = oneAtATime()

  async function get(wanted: string): Promise<Uint8Array | undefined> {
    const name = names.get(wanted)
    if (name === undefined) return undefined
    const bytes = await inner.get(name)
    // The entry was deleted during the read.
    if (bytes === undefined && names.get(wanted) !== name) return undefined
    if (bytes === undefined) throw corrupt('an entry is missing')
    return (await entries.open(name, bytes)).value
  }

  async function sealOperation(operation: StorageOperation): Promise<[name: string | undefined, StorageOperation[]]> {
    const known = names.get(operation.key)
    if (operation.type === 'del') return [undefined, known === undefined ? [] : [{ type: 'del', key: known }]]
    const name = known ?? bytesToHex(random(NAME_BYTES))
    return [name, [{ type: 'put', key: name, value: await entries.seal(name, operation.key, operation.value) }]]
  }

  return {
    get,
    batch: (operations) =>
      turn(async () => {
        const last = [...new Map(operations.map((operation) => [operation.key, operation])).values()]
        const sealed = await Promise.all(last.map(sealOperation))
        await inner.batch(sealed.flatMap(([, item]) => item))
        for (const [i, [name]] of sealed.entries()) names.set(last[i]!.key, name)
      }),
    async *range(prefix) {
      const keys = names.range(prefix)
      for (let i = 0; i < keys.length; i += READS_IN_PARALLEL) {
        const part = keys.slice(i, i + READS_IN_PARALLEL)
        const values = await Promise.all(part.map(get))
        for (const [k, value] of values.entries()) if (value !== undefined) yield [part[k]!, value]
      }
    },
    close: () => turn(() => inner.close()),
  }
}

/** Opens every entry once, because the key of an entry stands only inside its sealed bytes. */
async function readNames(inner: Storage, entries: EntryCipher): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  const all: [name: string, bytes: Uint8Array][] = []
  for await (const entry of inner.range('')) all.push(entry)
  for (let i = 0; i < all.length; i += READS_IN_PARALLEL) {
    const opened = all.slice(i, i + READS_IN_PARALLEL).map(async ([name, bytes]) => {
      names.set((await entries.open(name, bytes)).key, name)
    })
    await Promise.all(opened)
  }
  return names
}

interface EntryCipher {
  seal(name: string, key: string, value: Uint8Array): Promise<Uint8Array>
  open(name: string, bytes: Uint8Array): Promise<{ key: string; value: Uint8Array }>
}

function entryCipher(cryptoKey: CryptoKey, random: Random): EntryCipher {
  return {
    async seal(name, key, value) {
      const head = utf8(key)
      const writer = byteWriter(2 + head.length + value.length)
      const plain = writer.u16(head.length).bytes(head).bytes(value).finish()
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
      const length = (plain[0]! << 8) | plain[1]!
      return { key: new TextDecoder().decode(plain.subarray(2, 2 + length)), value: plain.slice(2 + length) }
    },
  }
}

function corrupt(reason: string, cause?: unknown): FederationError<'STORAGE_CORRUPT'> {
  return new FederationError('STORAGE_CORRUPT', reason, { what: 'sealed' }, { cause })
}
