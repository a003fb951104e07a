/**
 * The device's clock, corrected by the newest proof of time (proved-time.ts), which is stored. Every other file reads the
 * time here. Throws STORAGE_CORRUPT.
 */
import type { Clock } from '@geotrace/core-wasm'
import { decodeRecord, KEYS } from '../storage/key-layout.ts'
import type { Storage } from '../storage/storage.ts'
import { type TimeProof, toCorrection } from './proved-time.ts'

export class DeviceClock implements Clock {
  readonly #clock: Clock
  #proof: TimeProof | undefined
  #highestMs = Number.NEGATIVE_INFINITY

  private constructor(clock: Clock, proof: TimeProof | undefined) {
    this.#clock = clock
    this.#proof = proof
  }

  static async open(clock: Clock, storage: Storage): Promise<DeviceClock> {
    const bytes = await storage.get(KEYS.proof)
    return new DeviceClock(clock, bytes === undefined ? undefined : decodeRecord<TimeProof>(KEYS.proof, bytes))
  }

  get proof(): TimeProof | undefined {
    return this.#proof
  }

  /** The federation's time minus the device's clock, ms; 0 when the clock is not known to be off by five minutes. */
  get offsetMs(): number {
    return toCorrection(this.#proof, this.read(), this.#highestMs)
  }

  /** Unix ms, corrected, for decisions that can be taken back. */
  now(): number {
    return this.read() + this.offsetMs
  }

  /** Unix ms, as the device's clock shows it. */
  read(): number {
    const clockMs = this.#clock.now()
    this.#highestMs = Math.max(this.#highestMs, clockMs)
    return clockMs
  }

  setTimer(fn: () => void, delayMs: number): () => void {
    return this.#clock.setTimer(fn, delayMs)
  }

  believe(proof: TimeProof): void {
    this.#proof = proof
    this.#highestMs = proof.deviceMs
  }
}
