/**
 * Everything a device holds as one encrypted file, to move to a new phone. README "Moving to a new phone".
 *
 *  struct Backup { u8 magic[4] = "GTB1"; u8 salt[16]; u32 iterations; u8 iv[12]; u8 sealed[] }
 *  sealed = AES-256-GCM over the entries, key = PBKDF2-HMAC-SHA256(passphrase, salt, iterations), head authenticated.
 */
import { FederationError, type Random } from '@geotrace/core-wasm'
import { byteReader, byteWriter, concatBytes, equalBytes, utf8 } from '@geotrace/core-wasm/wire'
import { KEYS } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { assertNotAborted } from './device.ts'
import { deleteAllBut } from './erase.ts'

const MAGIC = utf8('GTB1')
/** OWASP's figure for PBKDF2-HMAC-SHA256 (2023). */
const ITERATIONS = 600_000
/** A file may ask for more work than ours, not for a hung phone. */
const ITERATIONS_MAX = 10_000_000
const SALT_BYTES = 16
const IV_BYTES = 12
const HEAD_BYTES = MAGIC.length + SALT_BYTES + 4 + IV_BYTES
const ENTRY_KEY_MAX = 255
const PASSPHRASE_MIN = 8

/** Throws ABORTED. */
export async function exportBackup(
  storage: Storage,
  passphrase: string,
  random: Random,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (passphrase.length < PASSPHRASE_MIN) {
    throw new RangeError(`"passphrase" expected at least ${PASSPHRASE_MIN} characters, got ${passphrase.length}`)
  }
  const parts: Uint8Array[] = []
  for await (const [key, value] of storage.range('')) parts.push(encodeEntry(key, value))
  const salt = random(SALT_BYTES)
  const iv = random(IV_BYTES)
  const head = byteWriter(HEAD_BYTES).bytes(MAGIC).bytes(salt).u32(ITERATIONS).bytes(iv).finish()
  const key = await passphraseToKey(passphrase, salt, ITERATIONS)
  assertNotAborted(signal)
  const algorithm = { name: 'AES-GCM', iv: owned(iv), additionalData: owned(head) }
  const sealed = await crypto.subtle.encrypt(algorithm, key, owned(concatBytes(...parts)))
  return concatBytes(head, new Uint8Array(sealed))
}

/** Replaces all that the storage holds, in one batch. Throws IMPORT_INVALID, ABORTED. */
export async function importBackup(
  storage: Storage,
  file: Uint8Array,
  passphrase: string,
  signal?: AbortSignal,
): Promise<void> {
  const entries = decodeEntries(await open(file, passphrase))
  const federation = await storage.get(KEYS.federation)
  const other = entries.find((entry) => entry.type === 'put' && entry.key === KEYS.federation)
  if (other?.type !== 'put' || (federation !== undefined && !equalBytes(other.value, federation))) {
    invalid('the backup belongs to another federation')
  }
  assertNotAborted(signal)
  await storage.batch([...(await deleteAllBut(storage, () => false)), ...entries])
}

async function open(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  if (file.length < HEAD_BYTES || !equalBytes(file.slice(0, MAGIC.length), MAGIC)) invalid('it is not a backup')
  const reader = byteReader(file)
  reader.bytes(MAGIC.length)
  const salt = reader.bytes(SALT_BYTES)
  const iterations = reader.u32()
  const iv = reader.bytes(IV_BYTES)
  if (iterations < 1 || iterations > ITERATIONS_MAX) invalid('it is not a backup')
  const key = await passphraseToKey(passphrase, salt, iterations)
  const algorithm = { name: 'AES-GCM', iv: owned(iv), additionalData: owned(file.slice(0, HEAD_BYTES)) }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, owned(file.slice(HEAD_BYTES))))
  } catch (cause) {
    return invalid('the passphrase is wrong or the file is damaged', cause)
  }
}

async function passphraseToKey(passphrase: string, salt: Uint8Array, iterations: number): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', owned(utf8(passphrase.normalize('NFC'))), 'PBKDF2', false, [
    'deriveKey',
  ])
  const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt: owned(salt), iterations }
  return crypto.subtle.deriveKey(algorithm, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

function encodeEntry(key: string, value: Uint8Array): Uint8Array {
  const name = utf8(key)
  if (name.length > ENTRY_KEY_MAX) throw new RangeError(`key expected at most ${ENTRY_KEY_MAX} bytes`)
  return byteWriter(5 + name.length + value.length)
    .u8(name.length)
    .bytes(name)
    .u32(value.length)
    .bytes(value)
    .finish()
}

function decodeEntries(bytes: Uint8Array): StorageOperation[] {
  const entries: StorageOperation[] = []
  const reader = byteReader(bytes)
  while (reader.left > 0) {
    const key = new TextDecoder().decode(reader.bytes(reader.u8()))
    entries.push(put(key, reader.bytes(reader.u32())))
  }
  return entries
}

/** Web Crypto's types want bytes over an ArrayBuffer of their own. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

function invalid(reason: string, cause?: unknown): never {
  throw new FederationError('IMPORT_INVALID', `backup: ${reason}`, { line: 0, reason }, { cause })
}
