/**
 * The pins of one sync, from a member and from the central peer. PROTOCOL.md §4.11. The central peer could show every device
 * another pin. So a device passes on each pin that only the central peer gave it, and each contradiction.
 */
import type { EpochPins, Evidence, Pin } from '@geotrace/core-wasm/wire'

/** The pins to pass on. */
interface Passing {
  /** Proofs that the central peer pinned an epoch twice. */
  readonly contradictions: readonly (Evidence & { kind: 'pins' })[]
  /** Pins that only the central peer gave to this device. */
  readonly fromCentral: readonly Pin[]
}

export class PinNews {
  readonly #pins: EpochPins
  #contradictions: (Evidence & { kind: 'pins' })[] = []
  #fromCentral: Pin[] = []

  constructor(pins: EpochPins) {
    this.#pins = pins
  }

  /** Everything since the last call. */
  drain(): Passing {
    const passing = { contradictions: this.#contradictions, fromCentral: this.#fromCentral }
    this.#contradictions = []
    this.#fromCentral = []
    return passing
  }

  takeFromMember(pin: Pin, nowMs: number): void {
    this.#take(pin, nowMs)
  }

  takeFromCentral(pin: Pin, nowMs: number): void {
    if (this.#take(pin, nowMs)) this.#fromCentral.push(pin)
  }

  #take(pin: Pin, nowMs: number): boolean {
    const fate = this.#pins.take(pin, nowMs)
    if (typeof fate === 'object') this.#contradictions.push(fate)
    return fate === 'new'
  }
}
