/**
 * Byte arrays that can be wiped. PROTOCOL.md §5.1.
 * V8 moves arrays of up to 64 bytes during garbage collection and leaves the old copy in memory. A secret gets a buffer of
 * its own, so that wiping it leaves no copy.
 */

/** An array of zeros; the caller wipes the secret that it writes there. */
export function secretBytes(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length))
}

export function copySecret(secret: Uint8Array): Uint8Array {
  const copy = secretBytes(secret.length)
  copy.set(secret)
  return copy
}
