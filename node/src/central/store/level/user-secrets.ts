/**
 * A secret of each user, in a file beside the databases. PROTOCOL.md §8. The values of one user are sealed with keys that
 * need this secret (user-seal.ts). An erasure overwrites 16 bytes, so it rewrites no table, however many rows there are.
 * In memory a million users take 16 MB. Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { oneAtATime, type Random } from '@geotrace/core-wasm'
import { replaceFile } from '../../../platform/atomic-file.ts'
import { toDiskError } from '../../../platform/disk-error.ts'
import type { User } from '../central-store.ts'
import { corrupt } from '../sealed-value.ts'

export const SECRETS = 'users.secrets'
const SECRET_BYTES = 16
/** Secrets that are drawn at once, so that one sync is enough for many new users. */
const DRAWN = 256

export interface UserSecrets {
  /** Users who may have a secret: all numbers below. */
  readonly end: User
  /** The secret; undefined when it was destroyed. Throws STORAGE_CORRUPT when the file has none for this user. */
  of(user: User): Uint8Array | undefined
  /** Sees to it that the user has a secret, which is durable when the promise resolves. */
  make(user: User): Promise<void>
  /** Destroys the secret, and with it all values of the user. */
  destroy(user: User): Promise<void>
  /** Writes the secrets of the users below `end` into another directory. */
  copy(dir: string, end: User): Promise<void>
}

/** Opens the file, which `create` makes. Throws STORAGE_CORRUPT when it is missing or has no whole number of secrets. */
export async function openUserSecrets(dir: string, random: Random, create: boolean): Promise<UserSecrets> {
  const path = join(dir, SECRETS)
  if (create) await replaceFile(path, random(DRAWN * SECRET_BYTES))
  let secrets: Uint8Array = await readFile(path).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? corrupt(SECRETS, error) : Promise.reject(error),
  )
  const exclusive = oneAtATime()
  // The rest of a page that a power cut tore. No user had these secrets.
  secrets = secrets.subarray(0, secrets.length - (secrets.length % SECRET_BYTES))
  const at = (user: User): number => user * SECRET_BYTES
  const slot = (user: User): Uint8Array => secrets.subarray(at(user), at(user) + SECRET_BYTES)
  const isMade = (user: User): boolean => at(user) < secrets.length && !isDestroyed(slot(user))

  return {
    get end() {
      return secrets.length / SECRET_BYTES
    },
    of(user) {
      if (at(user) >= secrets.length) return corrupt(`the secret of user ${user}`)
      return isDestroyed(slot(user)) ? undefined : slot(user)
    },
    make: async (user) => {
      if (isMade(user)) return
      await exclusive(async () => {
        if (isMade(user)) return
        if (at(user) < secrets.length) {
          const secret = random(SECRET_BYTES)
          await put(path, secret, at(user))
          secrets.set(secret, at(user))
        } else {
          const end = at(Math.ceil((user + 1) / DRAWN) * DRAWN)
          const more = random(end - secrets.length)
          await put(path, more, secrets.length)
          secrets = Buffer.concat([secrets, more])
        }
      })
    },
    destroy: (user) =>
      exclusive(async () => {
        if (!isMade(user)) return
        await put(path, new Uint8Array(SECRET_BYTES), at(user))
        secrets.fill(0, at(user), at(user + 1))
      }),
    copy: (to, end) => replaceFile(join(to, SECRETS), secrets.slice(0, at(end))),
  }
}

function isDestroyed(secret: Uint8Array): boolean {
  return secret.every((byte) => byte === 0)
}

/** Overwrites a part of the file in its place, because an erasure must leave no older copy of it. */
async function put(path: string, bytes: Uint8Array, at: number): Promise<void> {
  try {
    const file = await open(path, 'r+')
    try {
      // On a disk that is almost full a write may end early without an error. The next one then fails.
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
        done += bytesWritten
      }
      await file.datasync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw toDiskError(error, SECRETS)
  }
}
