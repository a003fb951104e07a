/**
 * The issuer's RSA keys, in one record of mode 0600. PROTOCOL.md §5.12. A roster names the keys in force. Keys are drawn before
 * the operators put them into a roster, so the peer keeps those of three rosters. OpenSSL signs; it blinds its own exponentiation.
 * Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { constants, createPrivateKey, generateKeyPair, type KeyObject, privateDecrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { TOKEN_KINDS } from '@geotrace/core-wasm/tokens'
import { byteReader, byteWriter, concatBytes } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'

/** The folder of the record, below the central peer's directory. */
export const ISSUER_DIR = 'issuer'
const RECORD = 'keys'
/** A key of each kind, for three rosters: the one in force, the one before, and one to come. */
const KEYS_MAX = 3 * TOKEN_KINDS.length
/** A PKCS #8 key of 2,048 bits takes some 1,220 bytes. */
const KEY_MAX_BYTES = 2_048
const MODULUS_BITS = 2_048

/** Signs a blinded message: 256 bytes, a number below the modulus. */
export type BlindSigner = (message: Uint8Array) => Uint8Array

export interface IssuerKeys {
  /** Moduli in hex, the newest last. */
  readonly moduli: readonly string[]
  /** Draws a key of each kind. Resolves with their moduli when the disk has them. */
  add(): Promise<readonly string[]>
  /** The signer of this modulus; undefined when the peer does not have the key. */
  signer(modulus: string): BlindSigner | undefined
}

/** `first`: the keys of a demo, which go into records without any. */
export async function openIssuerKeys(records: Records, first?: () => readonly KeyObject[]): Promise<IssuerKeys> {
  const known = await records.get(RECORD)
  let keys = known === undefined ? [] : decode(known)
  const keep = async (fresh: readonly KeyObject[]): Promise<readonly string[]> => {
    const kept = [...keys, ...fresh].slice(-KEYS_MAX)
    await records.put(RECORD, concatBytes(...kept.map(encode)))
    keys = kept
    return fresh.map(toModulus)
  }
  if (keys.length === 0 && first !== undefined) await keep(first())
  return {
    get moduli() {
      return keys.map(toModulus)
    },
    async add() {
      const draw = () => promisify(generateKeyPair)('rsa', { modulusLength: MODULUS_BITS })
      const pairs = await Promise.all(TOKEN_KINDS.map(draw))
      return await keep(pairs.map(({ privateKey }) => privateKey))
    },
    signer(modulus) {
      const key = keys.find((item) => toModulus(item) === modulus)
      return key && ((message) => sign(key, message))
    },
  }
}

/** The private operation on the number itself, without a padding. */
function sign(key: KeyObject, message: Uint8Array): Uint8Array {
  return new Uint8Array(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, message))
}

function toModulus(key: KeyObject): string {
  return Buffer.from(key.export({ format: 'jwk' }).n!, 'base64url').toString('hex')
}

function encode(key: KeyObject): Uint8Array {
  const bytes = new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }))
  return byteWriter(2 + KEY_MAX_BYTES)
    .u16(bytes.length)
    .bytes(bytes)
    .finish()
}

function decode(bytes: Uint8Array): KeyObject[] {
  const reader = byteReader(bytes)
  const keys: KeyObject[] = []
  while (reader.left > 0) {
    const key = Buffer.from(reader.bytes(reader.u16()))
    keys.push(createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
  }
  return keys
}
