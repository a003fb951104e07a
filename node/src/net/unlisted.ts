/**
 * Backs off from addresses that only a peer's own presence names, after failed dials. PROTOCOL.md §6.6.
 * Addresses of the roster are always dialled, because a partition must heal within seconds.
 */
import { boundedMap } from '@geotrace/core-wasm/wire'
import type { DialTarget } from './protocol.ts'

/** The first wait after a failed dial. Each further failure doubles it. */
export const UNLISTED_WAIT_MS = 10_000
export const UNLISTED_WAIT_MAX_MS = 600_000
/** Remembered addresses: eight of each peer of the largest federation, about 200 bytes each. */
const ADDRESSES_MAX = 8_192

interface Failure {
  readonly untilMs: number
  readonly waitMs: number
}

export class UnlistedAddresses {
  /** Monotonic, ms. */
  readonly #now: () => number
  readonly #failures = boundedMap<string, Failure>(ADDRESSES_MAX)

  constructor(now: () => number) {
    this.#now = now
  }

  /** The addresses of the peer that may be dialled now. */
  select({ addresses, unlisted = [] }: DialTarget): readonly string[] {
    if (unlisted.length === 0) return addresses
    const nowMs = this.#now()
    const isWaiting = (address: string): boolean => (this.#failures.get(address)?.untilMs ?? nowMs) > nowMs
    return addresses.filter((address) => !unlisted.includes(address) || !isWaiting(address))
  }

  /** A dial of these addresses reached no peer with the right key. */
  failed({ addresses, unlisted = [] }: DialTarget): void {
    for (const address of unlisted.filter((item) => addresses.includes(item))) {
      const last = this.#failures.get(address)?.waitMs ?? UNLISTED_WAIT_MS / 2
      const waitMs = Math.min(2 * last, UNLISTED_WAIT_MAX_MS)
      this.#failures.set(address, { untilMs: this.#now() + waitMs, waitMs })
    }
  }
}
