/**
 * A token of RFC 9578, type 2. It opens a bucket of one device at one node for one UTC day: of evaluations, or of frames to the
 * node as a relay. PROTOCOL.md §5.12. The issuer signs it blindly. So a node that sees a token cannot tell which enrolled
 * device has it, and cannot join tokens of two kinds.
 *
 *  struct Token {                struct TokenChallenge {               // RFC 9577 §2.1
 *    u16 type;          // 2       u16 type;              // 2
 *    u8  nonce[32];                u16 length; u8 issuer[length];      // "geotrace"
 *    u8  challenge[32]; // SHA-256 u8  length; u8 context[length];     // H("geotrace/token" ‖ federation ‖ node ‖ u32 day)
 *    u8  keyId[32];                u16 length; u8 origin[length];      // empty
 *    u8  signature[256];         }
 *  }
 */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Random } from '../random.ts'
import { TOKEN_BYTES } from '../wire/constants.ts'
import { byteReader, byteWriter, concatBytes, hexToBytes, utf8 } from '../wire/encoding/bytes.ts'
import type { TokenParameters } from '../wire/federation/manifest-form.ts'
import { blind, RSA_BYTES } from './blind-rsa.ts'

const TYPE = 2
const NONCE_BYTES = 32
const DIGEST_BYTES = 32
/** The bytes that the issuer signs: type, nonce, challenge and key. */
const INPUT_BYTES = TOKEN_BYTES - RSA_BYTES
const ISSUER = utf8('geotrace')
/** The DER of a public key before its modulus, and after it: id-RSASSA-PSS with SHA-384 and a salt of 48 bytes. */
const SPKI_HEAD = hexToBytes(
  '30820152303d06092a864886f70d01010a3030a00d300b0609608648016503040202a11a301806092a864886f70d010108' +
    '300b0609608648016503040202a2030201300382010f003082010a0282010100',
)
const SPKI_TAIL = hexToBytes('0203010001')

/** The parts of a token, whatever it is worth. */
interface OpenedToken {
  /** The signed bytes. */
  readonly input: Uint8Array
  readonly nonce: Uint8Array
  readonly challenge: Uint8Array
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}
interface BlindedToken {
  /** 256 bytes for the issuer. */
  readonly message: Uint8Array
  /** The token, from the issuer's answer; undefined when the answer is no signature. */
  finish(answer: Uint8Array): Uint8Array | undefined
}

/** The public key of an issuer as RFC 9578 §6.5 encodes it. */
export function modulusToSpki(modulus: Uint8Array): Uint8Array {
  return concatBytes(SPKI_HEAD, modulus, SPKI_TAIL)
}

/** The name of an issuer's key, 32 bytes. */
export function modulusToKeyId(modulus: Uint8Array): Uint8Array {
  return sha256(modulusToSpki(modulus))
}

/** Each kind has a key of the issuer, an allowance and challenges of its own. */
export const TOKEN_KINDS = ['evaluation', 'relay'] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]
const DOMAINS: Readonly<Record<TokenKind, string>> = { evaluation: 'geotrace/token', relay: 'geotrace/relay token' }

/** The modulus (hex) of the issuer's key of a kind. */
export function kindToKey({ key, relayKey }: TokenParameters, kind: TokenKind): string {
  return kind === 'relay' ? relayKey : key
}

/** The challenge of a node on a UTC day, 32 bytes. A token for another node, day or kind has another one. */
export function toTokenChallenge(kind: TokenKind, federation: Uint8Array, node: Uint8Array, day: number): Uint8Array {
  const context = sha256(concatBytes(utf8(DOMAINS[kind]), federation, node, byteWriter(4).u32(day).finish()))
  const writer = byteWriter(2 + 2 + ISSUER.length + 1 + DIGEST_BYTES + 2).u16(TYPE)
  writer.u16(ISSUER.length).bytes(ISSUER).u8(context.length).bytes(context).u16(0)
  return sha256(writer.finish())
}

/** A token for this challenge, blinded. The same bytes of `random` give the same token. */
export function blindToken(modulus: Uint8Array, challenge: Uint8Array, random: Random): BlindedToken {
  const writer = byteWriter(INPUT_BYTES).u16(TYPE).bytes(random(NONCE_BYTES))
  const input = writer.bytes(challenge, DIGEST_BYTES).bytes(modulusToKeyId(modulus)).finish()
  const { message, unblind } = blind(modulus, input, random)
  return {
    message,
    finish(answer) {
      const signature = unblind(answer)
      return signature && concatBytes(input, signature)
    },
  }
}

/** Takes a token apart and checks nothing but its type. Throws MESSAGE_MALFORMED. */
export function openToken(token: Uint8Array): OpenedToken {
  const reader = byteReader(token)
  if (reader.u16() !== TYPE) reader.refuse('expected a token of type 2')
  const [nonce, challenge, keyId] = [reader.bytes(NONCE_BYTES), reader.bytes(DIGEST_BYTES), reader.bytes(DIGEST_BYTES)]
  const signature = reader.bytes(RSA_BYTES)
  reader.end()
  return { input: token.slice(0, INPUT_BYTES), nonce, challenge, keyId, signature }
}
