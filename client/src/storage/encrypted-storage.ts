/**
 * A storage that its disk cannot read: every entry sealed under a key that the app supplies, its name drawn at random, so
 * that neither values nor keys (which name times) stand in the clear. README "What is stored".
 *
 *  Entry, under 12 random bytes in hex { u8 iv[12]; u8 sealed[] }
 *  sealed = AES-256-GCM(u16 keyBytes ‖ key ‖ value), the entry's own name authenticated, so that two cannot be exchanged.
 *
 * What stays visible: how many entries there are, their sizes, when they are written. An older copy of the whole disk
 * put back is not noticed.
 */

import { FederationError, oneAtATime, type Random } from '@geotrace/core-wasm'
import { bytesToHex, byteWriter, concatBytes, utf8 } from '@geotrace/core-wasm/wire'
import type { Storage, StorageOperation } from './storage.ts'

const KEY_BYTES = 32
const IV_BYTES = 12
const NAME_BYTES = 12
/** Reads under way at once: a disk answers one at a time in as many turns of the event loop. */
const READS_IN_PARALLEL = 64

/** AES-GCM, 256 bits, usages encrypt and decrypt; need not be extractable. Or the 32 bytes themselves. */
export type StorageKey = CryptoKey | Uint8Array

/** Throws STORAGE_CORRUPT when `key` does not open what `inner` holds, or somebody changed it. */
export async function encryptedStorage(
  inner: Storage,
  key: StorageKey,
  random: Random = (n) => crypto.getRandomValues(new Uint8Array(n)),
): Promise<Storage> {
  const cipher = await openCipher(key, random)
  const names = new Map<string, string>()
  let sorted: string[] | undefined
  const turn = oneAtATime()

  const entries: [name: string, bytes: Uint8Array][] = []
  for await (const entry of inner.range('')) entries.push(entry)
  await inParallel(entries, async ([name, bytes]) => {
    names.set((await cipher.open(name, bytes)).key, name)
  })

  async function get(wanted: string): Promise<Uint8Array | undefined> {
    const name = names.get(wanted)
    if (name === undefined) return undefined
    const bytes = await inner.get(name)
    // Deleted while we waited for the disk, or gone from it behind our back.
    if (bytes === undefined && names.get(wanted) !== name) return undefined
    if (bytes === undefined) throw corrupt('an entry is missing')
    return (await cipher.open(name, bytes)).value
  }

  return {
    get,
    batch: (operations) =>
      turn(async () => {
        const last = new Map(operations.map((operation) => [operation.key, operation]))
        const changed = new Map<string, string | undefined>()
        const sealed = await Promise.all(
          [...last.values()].map(async (operation): Promise<StorageOperation[]> => {
            const known = names.get(operation.key)
            if (operation.type === 'del') {
              if (known === undefined) return []
              changed.set(operation.key, undefined)
              return [{ type: 'del', key: known }]
            }
            const name = known ?? bytesToHex(random(NAME_BYTES))
            changed.set(operation.key, name)
            return [{ type: 'put', key: name, value: await cipher.seal(name, operation.key, operation.value) }]
          }),
        )
        await inner.batch(sealed.flat())
        for (const [item, name] of changed) {
          if (name === undefined || !names.has(item)) sorted = undefined
          if (name === undefined) names.delete(item)
          else names.set(item, name)
        }
      }),
    async *range(prefix) {
      sorted ??= [...names.keys()].sort((a, b) => (a < b ? -1 : 1))
      const keys = sorted.slice(lowerBound(sorted, prefix), lowerBound(sorted, `${prefix}\x7f`))
      for (let i = 0; i < keys.length; i += READS_IN_PARALLEL) {
        const part = keys.slice(i, i + READS_IN_PARALLEL)
        const values = await Promise.all(part.map(get))
        for (const [k, value] of values.entries()) if (value !== undefined) yield [part[k]!, value]
      }
    },
    close: () => turn(() => inner.close()),
  }
}

interface Cipher {
  seal(name: string, key: string, value: Uint8Array): Promise<Uint8Array>
  open(name: string, bytes: Uint8Array): Promise<{ key: string; value: Uint8Array }>
}

async function openCipher(given: StorageKey, random: Random): Promise<Cipher> {
  const key = given instanceof Uint8Array ? await importKey(given) : given
  const algorithm = (name: string, iv: Uint8Array) => ({
    name: 'AES-GCM',
    iv: owned(iv),
    additionalData: owned(utf8(name)),
  })
  return {
    async seal(name, entryKey, value) {
      const head = utf8(entryKey)
      const plain = byteWriter(2 + head.length + value.length)
        .u16(head.length)
        .bytes(head)
        .bytes(value)
        .finish()
      const iv = random(IV_BYTES)
      return concatBytes(iv, new Uint8Array(await crypto.subtle.encrypt(algorithm(name, iv), key, owned(plain))))
    },
    async open(name, bytes) {
      let plain: Uint8Array
      try {
        const iv = bytes.subarray(0, IV_BYTES)
        const sealed = owned(bytes.subarray(IV_BYTES))
        plain = new Uint8Array(await crypto.subtle.decrypt(algorithm(name, iv), key, sealed))
      } catch (cause) {
        throw corrupt('the key does not open this storage, or somebody changed it', cause)
      }
      const length = (plain[0]! << 8) | plain[1]!
      return { key: new TextDecoder().decode(plain.subarray(2, 2 + length)), value: plain.slice(2 + length) }
    },
  }
}

function importKey(bytes: Uint8Array): Promise<CryptoKey> {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`"key" expected ${KEY_BYTES} bytes, got ${bytes.length}`)
  return crypto.subtle.importKey('raw', owned(bytes), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

async function inParallel<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += READS_IN_PARALLEL) {
    await Promise.all(items.slice(i, i + READS_IN_PARALLEL).map(task))
  }
}

/** The first index whose key is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/** Web Crypto's types want bytes over an ArrayBuffer of their own. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

function corrupt(reason: string, cause?: unknown): FederationError<'STORAGE_CORRUPT'> {
  return new FederationError('STORAGE_CORRUPT', reason, { what: 'sealed' }, { cause })
}
