/**
 * The seeds that salt nodes draw, and the one-time keys that wrap them. The lab keeps them masked, so that a search of the memory of this process finds the copies
 * of the nodes only.
 */

const SECRET_BYTES = 32
/** A one-time key is drawn as 64 bytes, because only seeds, quota keys and one-time keys come from this generator. */
const ONE_TIME_BYTES = 64
const MASK = 0xa5

export interface DrawnSecrets {
  /**
   * Notes every second draw of 32 bytes, because a quota key is drawn after each seed, and every draw of 64 bytes. Returns
   * the same array.
   */
  watch(bytes: Uint8Array): Uint8Array
  /** Seeds, masked, in the order of the draws. */
  readonly masked: readonly Uint8Array[]
  /** The draws of one-time keys, masked. */
  readonly maskedKeys: readonly Uint8Array[]
}

export function drawnSecrets(): DrawnSecrets {
  const drawn: Uint8Array[] = []
  const keys: Uint8Array[] = []
  let draws = 0
  return {
    watch(bytes) {
      if (bytes.length === SECRET_BYTES && draws++ % 2 === 0) drawn.push(toggleMask(bytes))
      if (bytes.length === ONE_TIME_BYTES) keys.push(toggleMask(bytes))
      return bytes
    },
    masked: drawn,
    maskedKeys: keys,
  }
}

/** Masks bytes, and unmasks masked bytes. */
export function toggleMask(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ MASK)
}
