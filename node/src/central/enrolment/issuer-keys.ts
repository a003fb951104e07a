/**
 * The issuer's RSA keys, in one record of mode 0600. PROTOCOL.md §5.12. A roster names the key in force. A key is drawn before
 * the operators put it into a roster, so the peer keeps the newest three. OpenSSL signs; it blinds its own exponentiation.
 * Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { constants, createPrivateKey, generateKeyPair, type KeyObject, privateDecrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { byteReader, byteWriter, concatBytes } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'

/** The folder of the record, below the central peer's directory. */
export const ISSUER_DIR = 'issuer'
const RECORD = 'keys'
/** The key in force, the one before, and the one that a roster will name. */
const KEYS_MAX = 3
/** A PKCS #8 key of 2,048 bits takes some 1,220 bytes. */
const KEY_MAX_BYTES = 2_048
const MODULUS_BITS = 2_048

/** Signs a blinded message: 256 bytes, a number below the modulus. */
export type BlindSigner = (message: Uint8Array) => Uint8Array

export interface IssuerKeys {
  /** Moduli in hex, the newest last. */
  readonly moduli: readonly string[]
  /** Draws a key. Resolves with its modulus when the disk has it. */
  add(): Promise<string>
  /** The signer of this modulus; undefined when the peer does not have the key. */
  signer(modulus: string): BlindSigner | undefined
}

/** `first`: the key of a demo, which goes into records without one. */
export async function openIssuerKeys(records: Records, first?: () => KeyObject): Promise<IssuerKeys> {
  const known = await records.get(RECORD)
  let keys = known === undefined ? [] : decode(known)
  const keep = async (key: KeyObject): Promise<string> => {
    const kept = [...keys, key].slice(-KEYS_MAX)
    await records.put(RECORD, concatBytes(...kept.map(encode)))
    keys = kept
    return toModulus(key)
  }
  if (keys.length === 0 && first !== undefined) await keep(first())
  return {
    get moduli() {
      return keys.map(toModulus)
    },
    async add() {
      const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: MODULUS_BITS })
      return await keep(privateKey)
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
