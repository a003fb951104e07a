/**
 * Bytes that can be wiped. V8 keeps arrays of up to 64 bytes on its own heap and moves them at a collection; the copy that
 * stays behind nobody can overwrite. With a buffer of their own they stay where they are. PROTOCOL.md §5.1.
 */

/** Zeros; the caller wipes what it puts there. */
export function secretBytes(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length))
}

export function copySecret(secret: Uint8Array): Uint8Array {
  const copy = secretBytes(secret.length)
  copy.set(secret)
  return copy
}
