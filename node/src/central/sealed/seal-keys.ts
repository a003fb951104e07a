/**
 * The secrets of the central peer's seal keys, in one record of mode 0600. PROTOCOL.md §7.6. A new key goes to the disk before
 * it is announced. The oldest key is deleted then, because a relay that recorded frames could open them with a stolen key.
 * Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import type { Random } from '@geotrace/core-wasm'
import { type SealKeys, secretToSealKey } from '@geotrace/core-wasm/seal'
import { byteReader, byteWriter, concatBytes, KEY_BYTES } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'

/** The folder of the record, below the central peer's directory. */
export const SEAL_KEYS_DIR = 'seals'
export const SEAL_KEYS_RECORD = 'keys'
/** Those of the next roster, of the two newest, and of one that a later roster may put in the place of these. */
export const SEAL_KEYS_MAX = 4

export interface StoredSeal extends SealKeys {
  /** The time and the last roster of the change that announced the key (§4.8); both 0 for the key of the founding. */
  readonly at: number
  readonly until: number
}
export interface SealKeyStore {
  /** The newest last. */
  readonly all: readonly StoredSeal[]
  /** Draws a key. Resolves when the disk has it and no longer has the oldest one. */
  add(at: number, until: number): Promise<StoredSeal>
  /** Reads the keys again, because another process may have added one. */
  refresh(): Promise<void>
}

/** `first` goes into records without a key: the key of the founding, where it derives from a phrase. */
export async function openSealKeys(records: Records, random: Random, first?: Uint8Array): Promise<SealKeyStore> {
  const known = await records.get(SEAL_KEYS_RECORD)
  let all = known === undefined ? [] : decode(known)
  const keep = async (secret: Uint8Array, at: number, until: number): Promise<StoredSeal> => {
    const fresh = { secret, key: secretToSealKey(secret), at, until }
    const kept = [...all, fresh].slice(-SEAL_KEYS_MAX)
    await records.put(SEAL_KEYS_RECORD, encode(kept))
    for (const old of all) if (!kept.includes(old)) old.secret.fill(0)
    all = kept
    return fresh
  }
  if (all.length === 0 && first !== undefined) await keep(first.slice(), 0, 0)
  return {
    get all() {
      return all
    },
    add: (at, until) => keep(random(KEY_BYTES), at, until),
    async refresh() {
      const fresh = await records.get(SEAL_KEYS_RECORD)
      if (fresh !== undefined) all = decode(fresh)
    },
  }
}

function encode(keys: readonly StoredSeal[]): Uint8Array {
  return concatBytes(
    ...keys.map(({ secret, at, until }) =>
      byteWriter(KEY_BYTES + 12)
        .bytes(secret)
        .time(at)
        .u32(until)
        .finish(),
    ),
  )
}

function decode(bytes: Uint8Array): StoredSeal[] {
  const reader = byteReader(bytes)
  const keys: StoredSeal[] = []
  while (reader.left > 0) {
    const secret = reader.bytes(KEY_BYTES).slice()
    keys.push({ secret, key: secretToSealKey(secret), at: reader.time(), until: reader.u32() })
  }
  return keys
}
