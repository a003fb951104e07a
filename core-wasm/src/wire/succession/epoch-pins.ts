/**
 * The pins that a peer or a device knows, one for each epoch that still takes deposits. PROTOCOL.md §4.11.
 * A second pin of an epoch with another roster is evidence against the central peer.
 */
import { DEPOSIT_WINDOW_MS, EPOCH_MS, EPOCH_OPENS_BEFORE_MS, MINUTE_MS } from '../constants.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { isValidPin, type Pin } from '../messages/pin.ts'
import type { Evidence } from './evidence.ts'

/** The clocks of two peers may differ by this much. */
const CLOCKS_APART_MS = 10 * MINUTE_MS

/** Whether the central peer may pin this epoch at `nowMs`, by a clock that is at most ten minutes off. Pure. */
function isPinEpoch(epoch: number, nowMs: number): boolean {
  const isOver = (epoch + 1) * EPOCH_MS < nowMs - DEPOSIT_WINDOW_MS - CLOCKS_APART_MS
  return !isOver && epoch * EPOCH_MS <= nowMs + EPOCH_OPENS_BEFORE_MS + CLOCKS_APART_MS
}

/** `stray`: no deposit of that epoch is taken now. `invalid`: the central peer did not sign the pin. */
type PinFate = 'new' | 'known' | 'stray' | 'invalid' | (Evidence & { kind: 'pins' })

export class EpochPins {
  readonly #federation: Uint8Array
  readonly #centralKey: Uint8Array
  readonly #pins = new Map<number, Pin>()
  /** The second pin of an epoch. */
  readonly #others = new Map<number, Pin>()

  constructor(federation: Uint8Array, centralKey: Uint8Array) {
    this.#federation = federation
    this.#centralKey = centralKey
  }

  /** Takes pins that this machine checked before and kept. */
  restore(kept: readonly Pin[]): void {
    for (const pin of kept) if (!this.#pins.has(pin.epoch)) this.#pins.set(pin.epoch, pin)
  }

  /** Keeps the first two pins of an epoch. The second one, and only that one, gives the evidence. */
  take(pin: Pin, nowMs: number): PinFate {
    if (!isPinEpoch(pin.epoch, nowMs)) return 'stray'
    this.#dropOld(nowMs)
    const { epoch, roster, signature } = pin
    const first = this.#pins.get(epoch)
    if (this.rostersOf(epoch).some((known) => equalBytes(known, roster)) || this.#others.has(epoch)) return 'known'
    if (!isValidPin(pin, this.#federation, this.#centralKey)) return 'invalid'
    if (first === undefined) {
      this.#pins.set(epoch, { epoch, roster, signature })
      return 'new'
    }
    this.#others.set(epoch, { epoch, roster, signature })
    const [one, two] = [toSigned(first), toSigned(pin)]
    return { kind: 'pins', key: this.#centralKey, federation: this.#federation, epoch, first: one, second: two }
  }

  /** The first pin of the epoch that came here. */
  of(epoch: number): Pin | undefined {
    return this.#pins.get(epoch)
  }

  /** The hashes of the pinned rosters: none before a pin is known, two when the central peer contradicts itself. */
  rostersOf(epoch: number): Uint8Array[] {
    return [this.#pins.get(epoch), this.#others.get(epoch)].flatMap((pin) => (pin === undefined ? [] : [pin.roster]))
  }

  /** The first pins of this epoch and of later ones, ascending. */
  from(epoch: number): Pin[] {
    return [...this.#pins.values()].filter((pin) => pin.epoch >= epoch).sort((a, b) => a.epoch - b.epoch)
  }

  #dropOld(nowMs: number): void {
    for (const table of [this.#pins, this.#others]) {
      for (const epoch of table.keys()) if (!isPinEpoch(epoch, nowMs)) table.delete(epoch)
    }
  }
}

function toSigned({ roster, signature }: Pin): { roster: Uint8Array; signature: Uint8Array } {
  return { roster, signature }
}
