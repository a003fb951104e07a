/**
 * Collects the parts of one batch. PROTOCOL.md §9.8. Memory holds one batch at a time; a part of another batch or period
 * starts anew, because the central peer that brings them is the only sender. Throws MESSAGE_MALFORMED.
 */
import { type BatchPart, batchToDigest, byteReader, concatBytes, equalBytes } from '@geotrace/core-wasm/wire'

export class BatchIntake {
  #period: number | undefined
  #batch: Uint8Array = new Uint8Array(0)
  #parts: (Uint8Array | undefined)[] = []

  /** The whole batch when this part completes it. Throws MESSAGE_MALFORMED when its digest is another one. */
  take(period: number, { batch, part, parts, content }: BatchPart): Uint8Array | undefined {
    const isSame = this.#period === period && this.#parts.length === parts && equalBytes(this.#batch, batch)
    if (!isSame) {
      this.#period = period
      this.#batch = batch
      this.#parts = new Array(parts).fill(undefined)
    }
    this.#parts[part] = content
    if (this.#parts.includes(undefined)) return undefined
    const whole = concatBytes(...(this.#parts as Uint8Array[]))
    this.drop()
    if (!equalBytes(batchToDigest(whole), batch))
      byteReader(new Uint8Array(0)).refuse('expected the digest of the whole batch')
    return whole
  }

  drop(): void {
    this.#period = undefined
    this.#parts = []
  }
}
