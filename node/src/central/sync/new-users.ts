/**
 * Limits the new users from one address in a UTC day, so that one machine cannot fill the store. PROTOCOL.md §8.
 * The limits are generous, because a school or a carrier may share one address. Counts stay in memory, so that no
 * address reaches the disk; a restart resets them. Throws QUOTA_SPENT.
 */
import type { Clock } from '@geotrace/core-wasm'
import { DAY_MS, FederationError } from '@geotrace/core-wasm/wire'
import { requesterToNetwork } from '../../net/guard/requester.ts'
import type { Requester } from '../../net/protocol.ts'
import { timeToDay } from '../store/day.ts'

/**
 * Prefixes and fences counted in a day, about 100 bytes each. A full table drops counts of the largest network (IPv4 /16,
 * IPv6 /32), so that one network cannot lock out new users of others.
 */
export const NEW_USER_TABLE_MAX = 262_144
/** Counts that a full table drops at once, at most half of a network's. One search thus makes room for many newcomers. */
const DROPPED_MAX = 1_024

interface NewUsers {
  /**
   * Counts one new user of this requester; all requesters without an IP address count together. Throws QUOTA_SPENT with
   * the time until the day ends.
   */
  admit(from: Requester): void
}

export function newUserBounds(init: { clock: Clock; perPrefix: number; perFence: number }): NewUsers {
  const { clock, perPrefix, perFence } = init
  let day = 0
  let counts = new NetworkCounts()
  return {
    admit({ prefix, fence }) {
      const now = clock.now()
      if (timeToDay(now) !== day) {
        day = timeToDay(now)
        counts = new NetworkCounts()
      }
      if (counts.prefix(`${prefix}`) >= perPrefix || counts.fence(`${fence}`) >= perFence) {
        throw new FederationError('QUOTA_SPENT', 'too many new users from this address today', {
          retryAfterMs: (day + 1) * DAY_MS - now,
        })
      }
      counts.add(`${prefix}`, `${fence}`)
    },
  }
}

interface Network {
  readonly prefixes: Map<string, number>
  readonly fences: Map<string, number>
}

/** Counts by prefix and by fence in at most `NEW_USER_TABLE_MAX` entries, grouped by network. */
class NetworkCounts {
  readonly #networks = new Map<string, Network>()
  #size = 0

  prefix(name: string): number {
    return this.#networks.get(requesterToNetwork(name))?.prefixes.get(name) ?? 0
  }

  fence(name: string): number {
    return this.#networks.get(requesterToNetwork(name))?.fences.get(name) ?? 0
  }

  add(prefix: string, fence: string): void {
    while (this.#size + 2 > NEW_USER_TABLE_MAX) this.#drop()
    this.#increment(requesterToNetwork(prefix), 'prefixes', prefix)
    this.#increment(requesterToNetwork(fence), 'fences', fence)
  }

  #increment(name: string, kind: keyof Network, key: string): void {
    const network = this.#networks.get(name) ?? { prefixes: new Map(), fences: new Map() }
    this.#networks.set(name, network)
    const before = network[kind].get(key)
    if (before === undefined) this.#size++
    network[kind].set(key, (before ?? 0) + 1)
  }

  /** Drops the oldest prefixes of the largest network, and fences without any, so that the bound of a fence holds longest. */
  #drop(): void {
    const sizeOf = ([, { prefixes, fences }]: [string, Network]): number => prefixes.size + fences.size
    const largest = [...this.#networks].reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a))
    const [name, { prefixes, fences }] = largest
    const from = prefixes.size > 0 ? prefixes : fences
    for (const key of [...from.keys()].slice(0, Math.min(DROPPED_MAX, Math.ceil(from.size / 2)))) {
      from.delete(key)
      this.#size--
    }
    if (sizeOf(largest) === 0) this.#networks.delete(name)
  }
}
