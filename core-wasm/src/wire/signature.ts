/**
 * Ed25519 over a domain string and length-prefixed content, so that a signature for one purpose
 * serves no other. PROTOCOL.md §6.4; RFC 8032.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { byteWriter, concatBytes, utf8 } from './bytes.ts'
import { KEY_BYTES, SIGNATURE_BYTES } from './constants.ts'

/** What each kind of signature stands for. */
export type SignatureDomain = 'geotrace/salt-answer' | 'geotrace/sheet' | 'geotrace/vote'

/** Something that signs with one Ed25519 key; nodes bring a native one. */
export interface Signer {
  /** 32 bytes. */
  readonly key: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** A signer from the 32-byte secret of RFC 8032. */
export function secretToSigner(secret: Uint8Array): Signer {
  return { key: ed25519.getPublicKey(secret), sign: (message) => ed25519.sign(message, secret) }
}

export function signContent(signer: Signer, domain: SignatureDomain, content: Uint8Array): Uint8Array {
  return signer.sign(signedBytes(domain, content))
}

export function isValidSignature(
  key: Uint8Array,
  domain: SignatureDomain,
  content: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
  return ed25519.verify(signature, signedBytes(domain, content), key, { zip215: false })
}

function signedBytes(domain: SignatureDomain, content: Uint8Array): Uint8Array {
  const name = utf8(domain)
  const head = byteWriter(5 + name.length)
    .u8(name.length)
    .bytes(name)
    .u32(content.length)
    .finish()
  return concatBytes(head, content)
}
