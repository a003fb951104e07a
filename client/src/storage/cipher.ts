/**
 * AES-256-GCM with an authenticated header, through Web Crypto. README "What is stored", "Moving to a new phone". Opening
 * throws Web Crypto's OperationError when the key is wrong, or a byte of header, nonce or ciphertext was changed.
 */
const CIPHER_KEY_BYTES = 32
/** NIST SP 800-38D: 96 bits is the size for which GCM needs no extra hashing. Never use one twice under a key. */
export const IV_BYTES = 12

/** The parts that stand beside the ciphertext. */
interface SealedHead {
  readonly iv: Uint8Array
  /** Authenticated, not encrypted. */
  readonly header: Uint8Array
}

export async function seal(key: CryptoKey, head: SealedHead, plain: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.encrypt(toAlgorithm(head), key, owned(plain)))
}

export async function open(key: CryptoKey, head: SealedHead, sealed: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.decrypt(toAlgorithm(head), key, owned(sealed)))
}

/** Throws RangeError unless there are 32 bytes. */
export function bytesToKey(bytes: Uint8Array): Promise<CryptoKey> {
  if (bytes.length !== CIPHER_KEY_BYTES)
    throw new RangeError(`"key" expected ${CIPHER_KEY_BYTES} bytes, got ${bytes.length}`)
  return crypto.subtle.importKey('raw', owned(bytes), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** PBKDF2-HMAC-SHA256. */
export async function passphraseToKey(
  passphrase: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', owned(passphrase), 'PBKDF2', false, ['deriveKey'])
  const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt: owned(salt), iterations }
  const wanted = { name: 'AES-GCM', length: 8 * CIPHER_KEY_BYTES }
  return crypto.subtle.deriveKey(algorithm, material, wanted, false, ['encrypt', 'decrypt'])
}

function toAlgorithm({ iv, header }: SealedHead): AesGcmParams {
  return { name: 'AES-GCM', iv: owned(iv), additionalData: owned(header) }
}

/** Web Crypto's types expect bytes over an ArrayBuffer of their own. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
