/**
 * Ed25519 over a domain string and length-prefixed content, so that a signature for one purpose is invalid for every
 * other purpose. PROTOCOL.md §6.4; RFC 8032.
 */

import { ed25519 } from '@noble/curves/ed25519.js'
import { boundedMap } from '../bounded-map.ts'
import { KEY_BYTES, SIGNATURE_BYTES } from '../constants.ts'
import { bytesToHex, byteWriter, equalBytes, utf8 } from './bytes.ts'
import { isSureSignature } from './host-verify.ts'

/** The purpose of a signature. */
export type SignatureDomain =
  | 'geotrace/salt-answer'
  | 'geotrace/evaluation'
  | 'geotrace/seed'
  | 'geotrace/sheet'
  | 'geotrace/vote'
  | 'geotrace/proposal'
  | 'geotrace/presence'
  | 'geotrace/change'
  | 'geotrace/handover'
  | 'geotrace/pin'
  | 'geotrace/commitment'
  | 'geotrace/spread-key'
  | 'geotrace/mixed'
  | 'geotrace/spread'
  // The central peer signs its risk profile, which never leaves this peer.
  | 'geotrace/profile'
  // Of RFC 8937; it never leaves its node.
  | 'geotrace/randomness'

/** Signs with one Ed25519 key. Nodes use a native implementation. */
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
  const message = signedBytes(domain, content)
  const name = bytesToHex(signature)
  const known = verified.get(name)
  if (known !== undefined && equalBytes(known.message, message) && equalBytes(known.key, key)) return true
  const holds = isSureSignature(signature, message, key) || ed25519.verify(signature, message, key, { zip215: false })
  if (holds && message.length <= REMEMBERED_MAX_BYTES) remember(name, { key: key.slice(), message })
  return holds
}

/** Remembered signatures: the votes and sheets of a few rosters, half a kilobyte each. */
const VERIFIED_MAX = 4_096
/**
 * Valid signatures, by their hex. Votes and sheets come by gossip, again in a proposal and again in a certificate. One
 * check costs as much as 100 hashes, in JavaScript 1,000. The host's implementation alone never decides, because
 * implementations differ on crafted keys and signatures, and all peers must agree on every certificate.
 */
const verified = boundedMap<string, { readonly key: Uint8Array; readonly message: Uint8Array }>(VERIFIED_MAX)
/** Longer messages are answers of salt nodes, which a client reads once. */
const REMEMBERED_MAX_BYTES = 512

function remember(name: string, what: { key: Uint8Array; message: Uint8Array }): void {
  verified.set(name, what)
}

function signedBytes(domain: SignatureDomain, content: Uint8Array): Uint8Array {
  const name = utf8(domain)
  return byteWriter(5 + name.length + content.length)
    .u8(name.length)
    .bytes(name)
    .u32(content.length)
    .bytes(content)
    .finish()
}
