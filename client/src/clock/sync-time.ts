/** The peers' times that one sync reads, and the proof that they make (clock-readings.ts). The device's clock takes it over. */
import { isProofStale, readingsToProof } from './clock-readings.ts'
import type { DeviceClock } from './device-clock.ts'
import { CLOCK_OFF_MS, type TimeProof } from './proved-time.ts'

export class SyncTime {
  readonly #clock: DeviceClock
  /** The proof of an earlier sync. */
  readonly #before: TimeProof | undefined
  /** Peers' times minus the device's clock. */
  readonly #nodes: number[] = []
  #central: number | undefined
  #proof: TimeProof | undefined

  constructor(clock: DeviceClock) {
    this.#clock = clock
    this.#before = clock.proof
  }

  /** Undefined until a peer of this sync gave its time. */
  get proof(): TimeProof | undefined {
    return this.#proof
  }

  addNode(timeMs: number): void {
    this.#nodes.push(timeMs - this.#clock.read())
  }

  addCentral(timeMs: number): void {
    this.#central = timeMs - this.#clock.read()
  }

  /** True when this sync has no peer's time and the clock may have jumped since the proof before. */
  isInDoubt(): boolean {
    return this.#proof === undefined && isProofStale(this.#before, this.#clock.read())
  }

  /** Corrects the device's clock. True when it moved by that, so that decisions of this sync must be taken again. */
  prove(): boolean {
    const deviceMs = this.#clock.read()
    const before = this.#clock.now()
    const nodesMs = this.#nodes.map((offset) => deviceMs + offset)
    const centralMs = this.#central === undefined ? undefined : deviceMs + this.#central
    this.#proof = readingsToProof({ deviceMs, nodesMs, centralMs })
    if (this.#proof === undefined) return false
    this.#clock.believe(this.#proof)
    return Math.abs(this.#clock.now() - before) > CLOCK_OFF_MS
  }
}
