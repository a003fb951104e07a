/**
 * A node's keys in one file, encrypted with a passphrase. node/README.md "Backup". Throws BACKUP_UNREADABLE.
 *
 *   "geotrace backup 1\n" ‖ u8 log2 N ‖ salt 16 ‖ nonce 12 ‖ AES-256-GCM(JSON) ‖ tag 16
 *
 * Key = scrypt(passphrase, salt, N, r 8, p 1) (RFC 7914). The bytes before the ciphertext are authenticated with it. The
 * content is peer.key, operator.key and federation.json, never a seed, because a deleted seed must not come back.
 */
import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto'
import type { Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, hexToBytes, KEY_BYTES } from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'

const MAGIC = Buffer.from('geotrace backup 1\n')
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = MAGIC.length + 1 + SALT_BYTES + NONCE_BYTES
const BLOCK_SIZE = 8
/** One guess costs 128 MiB and about half a second, as OWASP recommends for scrypt. */
const LOG_N = 17
/** 19 is 512 MiB. A forged file must not make the reader allocate gigabytes. */
const LOG_N_MAX = 19

interface BackupContent {
  secret: Uint8Array
  operatorSecret: Uint8Array | undefined
  /** Text of federation.json, if the node has one. */
  federation: string | undefined
  /** Unix ms. */
  madeMs: number
}

const hex = z.string().check(z.regex(new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}$`)))
const schema = z.strictObject({
  peer: hex,
  operator: z.optional(hex),
  federation: z.optional(z.string()),
  madeMs: z.int(),
})

export async function sealBackup(
  { secret, operatorSecret, federation, madeMs }: BackupContent,
  passphrase: string,
  random: Random,
  logN = LOG_N,
): Promise<Uint8Array> {
  const header = Buffer.concat([MAGIC, Buffer.of(logN), random(SALT_BYTES), random(NONCE_BYTES)])
  const content = {
    peer: bytesToHex(secret),
    ...(operatorSecret && { operator: bytesToHex(operatorSecret) }),
    ...(federation !== undefined && { federation }),
    madeMs,
  }
  const key = await passphraseToKey(passphrase, header)
  const cipher = createCipheriv('aes-256-gcm', key, header.subarray(-NONCE_BYTES)).setAAD(header)
  const sealed = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final(), cipher.getAuthTag()])
  key.fill(0)
  return new Uint8Array(Buffer.concat([header, sealed]))
}

export async function openBackup(bytes: Uint8Array, passphrase: string): Promise<BackupContent> {
  const file = Buffer.from(bytes)
  if (file.length < HEADER_BYTES + TAG_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) {
    unreadable('expected a file that `geotrace salt backup` wrote; this file has another format')
  }
  const header = file.subarray(0, HEADER_BYTES)
  const logN = header[MAGIC.length]!
  if (logN < 1 || logN > LOG_N_MAX) unreadable('the header of the backup is damaged; use another copy')
  const key = await passphraseToKey(passphrase, header)
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, header.subarray(-NONCE_BYTES)).setAAD(header)
    decipher.setAuthTag(file.subarray(-TAG_BYTES))
    const text = Buffer.concat([decipher.update(file.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()])
    const { peer, operator, federation, madeMs } = z.parse(schema, JSON.parse(text.toString('utf8')))
    return {
      secret: hexToBytes(peer),
      operatorSecret: operator === undefined ? undefined : hexToBytes(operator),
      federation,
      madeMs,
    }
  } catch (cause) {
    // Authenticated encryption cannot distinguish the two causes.
    return unreadable('the passphrase is wrong or the backup is damaged; try again, or use another copy', cause)
  } finally {
    key.fill(0)
  }
}

function passphraseToKey(passphrase: string, header: Buffer): Promise<Buffer> {
  const salt = header.subarray(MAGIC.length + 1, MAGIC.length + 1 + SALT_BYTES)
  const N = 2 ** header[MAGIC.length]!
  // OpenSSL needs slightly more than 128·N·r bytes.
  const options = { N, r: BLOCK_SIZE, p: 1, maxmem: 256 * N * BLOCK_SIZE }
  return new Promise((resolve, reject) => {
    // Two systems may encode the same typed passphrase in two Unicode forms.
    scrypt(passphrase.normalize('NFC'), salt, 32, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

function unreadable(message: string, cause?: unknown): never {
  throw new FederationError('BACKUP_UNREADABLE', message, undefined, { cause })
}
