/**
 * The seeds that salt nodes draw. The lab keeps them masked, so that a search of the memory of this process finds the copies
 * of the nodes only.
 */

const SECRET_BYTES = 32
const MASK = 0xa5

export interface DrawnSecrets {
  /** Notes every second draw of 32 bytes, and returns the same array: a quota key is drawn after each seed. */
  watch(bytes: Uint8Array): Uint8Array
  /** Masked, in the order of the draws. */
  readonly masked: readonly Uint8Array[]
}

export function drawnSecrets(): DrawnSecrets {
  const drawn: Uint8Array[] = []
  let draws = 0
  return {
    watch(bytes) {
      if (bytes.length === SECRET_BYTES && draws++ % 2 === 0) drawn.push(toggleMask(bytes))
      return bytes
    },
    masked: drawn,
  }
}

/** Masks bytes, and unmasks masked bytes. */
export function toggleMask(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ MASK)
}
