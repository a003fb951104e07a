/**
 * A person's data as one encrypted file, to move to a new phone. README "Moving to a new phone". An import restores the
 * person's data only. A device must check rosters, the manifest's digest and the time itself, so no file restores them.
 * The same holds for a batch or report code on its way, and for an erasure. Throws IMPORT_INVALID, ABORTED.
 *
 *  struct Backup { u8 magic[4] = "GTB1"; u8 salt[16]; u32 iterations; u8 iv[12]; u8 sealed[] }
 *  sealed = AES-256-GCM over the entries, key = PBKDF2-HMAC-SHA256(passphrase, salt, iterations), head authenticated.
 */
import { FederationError, type Random } from '@geotrace/core-wasm'
import { byteReader, byteWriter, concatBytes, equalBytes, utf8 } from '@geotrace/core-wasm/wire'
import { FIX_FAMILIES } from '../diary/fix-states.ts'
import { IV_BYTES, open, passphraseToKey, seal } from '../storage/cipher.ts'
import { decodeRecord, FAMILIES, KEYS } from '../storage/key-layout.ts'
import { deleteAllBut, put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { TOKEN_KEYS } from '../storage/token-keys.ts'
import { assertNotAborted } from './device.ts'
import { type Ledger, mergeLedgers, putLedger, readLedger } from './ledger.ts'

const MAGIC = utf8('GTB1')
/** OWASP's figure for PBKDF2-HMAC-SHA256 (2023). */
const ITERATIONS = 600_000
/** A file may ask for more work than we do, but not for so much that the phone hangs. */
const ITERATIONS_MAX = 10_000_000
const SALT_BYTES = 16
const HEAD_BYTES = MAGIC.length + SALT_BYTES + 4 + IV_BYTES
const ENTRY_KEY_MAX = 255
const PASSPHRASE_MIN = 8

/** The person's data. Whatever else a file holds is left out. */
const RESTORED_KEYS: readonly string[] = [
  KEYS.userSecret,
  KEYS.deviceSecret,
  KEYS.paused,
  KEYS.homes,
  KEYS.cells,
  KEYS.zones,
  KEYS.placeNames,
  KEYS.cursor,
  KEYS.totals,
  KEYS.consents,
  KEYS.report,
  KEYS.slip,
  KEYS.ledger,
  TOKEN_KEYS.enrolment,
]
const RESTORED_FAMILIES: readonly string[] = [
  ...Object.values(FIX_FAMILIES),
  FAMILIES.deposited,
  FAMILIES.absence,
  FAMILIES.history,
  FAMILIES.takeBack,
  FAMILIES.night,
  FAMILIES.day,
  FAMILIES.mark,
  FAMILIES.verdict,
]
/** The device keeps what it checked itself: the federation and the rosters that it believes. */
const KEPT_KEYS: readonly string[] = [KEYS.federation, KEYS.manifest, KEYS.proof, KEYS.openings]

/** Throws ABORTED; RangeError for a passphrase of fewer than eight characters. */
export async function exportBackup(
  storage: Storage,
  passphrase: string,
  random: Random,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (passphrase.length < PASSPHRASE_MIN) {
    throw new RangeError(`"passphrase" expected at least ${PASSPHRASE_MIN} characters, got ${passphrase.length}`)
  }
  const entries: Uint8Array[] = []
  for await (const [key, value] of storage.range('')) entries.push(encodeEntry(key, value))
  const salt = random(SALT_BYTES)
  const iv = random(IV_BYTES)
  const header = byteWriter(HEAD_BYTES).bytes(MAGIC).bytes(salt).u32(ITERATIONS).bytes(iv).finish()
  const key = await toKey(passphrase, salt, ITERATIONS)
  assertNotAborted(signal)
  return concatBytes(header, await seal(key, { iv, header }, concatBytes(...entries)))
}

/** Replaces the person's data in the storage, in one batch. Throws IMPORT_INVALID, ABORTED. */
export async function importBackup(
  storage: Storage,
  file: Uint8Array,
  passphrase: string,
  signal?: AbortSignal,
): Promise<void> {
  const entries = decodeEntries(await openBackup(file, passphrase))
  const federation = await storage.get(KEYS.federation)
  const other = entries.find((entry) => entry.type === 'put' && entry.key === KEYS.federation)
  if (other?.type !== 'put' || (federation !== undefined && !equalBytes(other.value, federation))) {
    invalid('the backup belongs to another federation')
  }
  assertNotAborted(signal)
  const stays = (key: string): boolean => KEPT_KEYS.includes(key) || key.startsWith(FAMILIES.roster)
  const restored = await withOwnLedger(
    storage,
    entries.filter(({ key }) => isRestored(key)),
  )
  await storage.batch([...(await deleteAllBut(storage, stays)), ...restored])
}

/** A file from before a report must not give its ε back. */
async function withOwnLedger(storage: Storage, restored: StorageOperation[]): Promise<StorageOperation[]> {
  const own = await readLedger(storage)
  const given = restored.find(({ key }) => key === KEYS.ledger)
  const ledger = given?.type === 'put' ? decodeRecord<Ledger>(KEYS.ledger, given.value) : []
  const others = restored.filter((entry) => entry !== given)
  return own.length + ledger.length === 0 ? others : [...others, putLedger(mergeLedgers(own, ledger))]
}

function isRestored(key: string): boolean {
  return RESTORED_KEYS.includes(key) || RESTORED_FAMILIES.some((family) => key.startsWith(family))
}

async function openBackup(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  if (file.length < HEAD_BYTES || !equalBytes(file.slice(0, MAGIC.length), MAGIC)) {
    invalid('the file is not a backup of this app')
  }
  const reader = byteReader(file)
  reader.bytes(MAGIC.length)
  const salt = reader.bytes(SALT_BYTES)
  const iterations = reader.u32()
  const iv = reader.bytes(IV_BYTES)
  if (iterations < 1 || iterations > ITERATIONS_MAX) {
    invalid(`the key derivation expected 1..${ITERATIONS_MAX} iterations, got ${iterations}`)
  }
  const key = await toKey(passphrase, salt, iterations)
  try {
    return await open(key, { iv, header: file.slice(0, HEAD_BYTES) }, file.slice(HEAD_BYTES))
  } catch (cause) {
    return invalid('the passphrase is wrong or the file is damaged', cause)
  }
}

/** One passphrase has several spellings in Unicode; NFC makes them equal on every phone. */
function toKey(passphrase: string, salt: Uint8Array, iterations: number): Promise<CryptoKey> {
  return passphraseToKey(utf8(passphrase.normalize('NFC')), salt, iterations)
}

function encodeEntry(key: string, value: Uint8Array): Uint8Array {
  const name = utf8(key)
  if (name.length > ENTRY_KEY_MAX) {
    throw new RangeError(`"key" expected at most ${ENTRY_KEY_MAX} bytes, got ${name.length}`)
  }
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

function invalid(reason: string, cause?: unknown): never {
  throw new FederationError('IMPORT_INVALID', `backup: ${reason}`, { line: 0, reason }, { cause })
}
