/**
 * Limits the frames that one address sends through this relay. PROTOCOL.md §7.6. A requester has a leaky bucket stored as one
 * time (GCRA), its fence eight times that. Times stay in memory, so that no address reaches the disk. Throws QUOTA_SPENT,
 * FORBIDDEN.
 */
import type { Clock } from '@geotrace/core-wasm'
import { FederationError, HOUR_MS } from '@geotrace/core-wasm/wire'
import { requesterToNetwork } from '../net/guard/requester.ts'
import type { Requester } from '../net/protocol.ts'

/** A device syncs once an hour; the rest is for more than one batch, for reports and for retries. */
export const FRAMES_PER_DEVICE_HOUR = 4
const FENCE_FACTOR = 8
/**
 * Prefixes and fences in the table, about 100 bytes each. A full table drops entries of the largest network (IPv4 /16,
 * IPv6 /32), so that one network cannot lock out others.
 */
export const FRAME_TABLE_MAX = 262_144
/** Entries that a full table drops at once, at most half of a network's. One search thus makes room for many newcomers. */
const DROPPED_MAX = 1_024

interface FrameBounds {
  /** Counts one frame. Throws QUOTA_SPENT with the time until the next one, FORBIDDEN for a relayed connection. */
  admit(from: Pick<Requester, 'prefix' | 'fence'>): void
}

/** `devices`: devices that one address may have. */
export function frameBounds({ clock, devices }: { clock: Clock; devices: number }): FrameBounds {
  const intervalMs = HOUR_MS / (FRAMES_PER_DEVICE_HOUR * devices)
  const times = new NetworkTimes()
  return {
    admit({ prefix, fence }) {
      if (prefix === undefined || fence === undefined)
        throw new FederationError('FORBIDDEN', 'a relayed connection has no address to count')
      const now = clock.now()
      // An IPv4 address is its own fence.
      const names = prefix === fence ? [prefix] : [prefix, fence]
      // Lower a time to an hour ahead of now also on a refusal, because the clock may have been set back meanwhile.
      for (const name of names) if ((times.get(name) ?? now) > now + HOUR_MS) times.set(name, now + HOUR_MS)
      const after = names.map((name) => {
        const stepMs = name === prefix ? intervalMs : intervalMs / FENCE_FACTOR
        return Math.max(times.get(name) ?? now, now) + stepMs
      })
      const retryAfterMs = Math.ceil(Math.max(...after) - now - HOUR_MS)
      if (retryAfterMs > 0) throw tooManyFrames('this address', retryAfterMs)
      for (const [i, name] of names.entries()) times.set(name, after[i]!)
    },
  }
}

export function tooManyFrames(whose: string, retryAfterMs: number): FederationError<'QUOTA_SPENT'> {
  return new FederationError('QUOTA_SPENT', `too many frames of ${whose}: send later`, { retryAfterMs })
}

/** Times by requester in at most `FRAME_TABLE_MAX` entries, grouped by network. */
class NetworkTimes {
  readonly #networks = new Map<string, Map<string, number>>()
  #size = 0

  get(name: string): number | undefined {
    return this.#networks.get(requesterToNetwork(name))?.get(name)
  }

  /** The entry becomes the newest of its network. */
  set(name: string, timeMs: number): void {
    if (this.#size >= FRAME_TABLE_MAX) this.#drop()
    const key = requesterToNetwork(name)
    const network = this.#networks.get(key) ?? new Map<string, number>()
    this.#networks.set(key, network)
    if (!network.delete(name)) this.#size++
    network.set(name, timeMs)
  }

  /** Drops the entries of the largest network that were not used for longest. */
  #drop(): void {
    const [key, network] = [...this.#networks].reduce((a, b) => (b[1].size > a[1].size ? b : a))
    for (const name of [...network.keys()].slice(0, Math.min(DROPPED_MAX, Math.ceil(network.size / 2)))) {
      network.delete(name)
      this.#size--
    }
    if (network.size === 0) this.#networks.delete(key)
  }
}
