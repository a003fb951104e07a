/**
 * Seals the values of each user with an own key: SHA-256 of the key of the database and the user's secret. PROTOCOL.md §8.
 * After the secret was destroyed, nobody can open these values, wherever LevelDB still has them. All other values have
 * the key of the database. Throws STORAGE_CORRUPT.
 */
import { hash } from 'node:crypto'
import type { Random } from '@geotrace/core-wasm'
import type { User } from '../central-store.ts'
import { corrupt, nonceSource, openValue, sealValue } from '../sealed-value.ts'
import { isBlob, keyToUser } from './keys.ts'
import type { UserSecrets } from './user-secrets.ts'

/** As Seal, but a value of an erased user is undefined. */
export interface DatabaseSeal {
  seal(key: Uint8Array, body: Uint8Array): Uint8Array
  open(key: Uint8Array, value: Uint8Array, what: string): Uint8Array | undefined
}

/** How values are sealed in `meta` and in the database of a day. */
export interface StoreSeals {
  meta(secret: Uint8Array): DatabaseSeal
  day(secret: Uint8Array): DatabaseSeal
}

const USER_BYTES = 4

export function storeSeals(random: Random, secrets: UserSecrets): StoreSeals {
  const ofUser = (secret: Uint8Array, user: User): Uint8Array | undefined => {
    const own = secrets.of(user)
    return own && hash('sha256', Buffer.concat([secret, own]), 'buffer')
  }
  /** A value of a user begins with the first bytes of its body in clear. `toUser`: undefined for all other values. */
  const sealOf = (
    secret: Uint8Array,
    prefixBytes: number,
    toUser: (key: Uint8Array, start: Uint8Array) => User | undefined,
  ): DatabaseSeal => {
    const nonces = nonceSource(random)
    return {
      seal(key, body) {
        const user = toUser(key, body)
        if (user === undefined) return sealValue(secret, nonces(), key, body)
        const own = ofUser(secret, user)
        if (own === undefined) throw new RangeError(`"user" expected with a secret, got ${user}`)
        return sealValue(own, nonces(), key, body, body.subarray(0, prefixBytes))
      },
      open(key, value, what) {
        const user = toUser(key, value)
        if (user === undefined) return openValue(secret, key, value, what)
        const own = ofUser(secret, user)
        return own && openValue(own, key, value.subarray(prefixBytes), what)
      },
    }
  }
  return {
    meta: (secret) => sealOf(secret, 0, keyToUser),
    // The key of a blob does not say its user, but the blob begins with the user. The entries' keys say both in clear.
    day: (secret) => sealOf(secret, USER_BYTES, (key, start) => (isBlob(key) ? firstNumber(start) : undefined)),
  }
}

function firstNumber(bytes: Uint8Array): number {
  if (bytes.length < USER_BYTES) return corrupt('a blob')
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}
