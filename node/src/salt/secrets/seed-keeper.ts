/**
 * Keeps the seeds of a salt node in memory only, ratchets them with the clock, and overwrites dropped seeds with zeros.
 * PROTOCOL.md §5.1. Throws EPOCH_LOST for secrets that are erased.
 * Every copy made here is wiped, and V8 never moves it before that. `memory.test.ts` searches the process's memory for
 * copies.
 */
import { epochToSecretSpan, FederationError, oldestOpenEpoch, type Seed } from '@geotrace/core-wasm/wire'
import { type Hashes, ratchetTo, stateToLeaf } from './ratchet.ts'
import { copySecret } from './secret-bytes.ts'

/** A part of a shard in one period. It has one seed. */
export interface SeedPlace {
  readonly shard: number
  /** Names the period. */
  readonly firstEpoch: number
  readonly part: number
  /** Names a seed that the node gave up for another before the certificate. */
  readonly spare?: string
}

export interface SeedKeeper {
  /** Keeps a copy of the seed, but none after `wipe`. Throws RangeError for a second seed of one place. */
  hold(place: SeedPlace, epochs: number, seed: Seed): void
  /** A copy of the seed at its current epoch, for another replica. The caller wipes the copy. */
  seed(place: SeedPlace): Seed | undefined
  has(place: SeedPlace): boolean
  quotaKey(place: SeedPlace): Uint8Array | undefined
  drop(place: SeedPlace): void
  /** The roster is certified: from now on `advance` ratchets the seed. Until then late replicas need the whole seed. */
  settle(place: SeedPlace): void
  /** Another roster is in force from epoch `end` on, so the period's seeds are not needed from `end` on. */
  cut(firstEpoch: number, end: number): void
  /** Erases settled states before the oldest epoch open at `nowMs`. A clock that steps back brings none back. */
  advance(nowMs: number): void
  /** Unix ms at which `advance` next has a seed to ratchet; undefined while no settled seed is held. */
  nextMs(): number | undefined
  /**
   * Keeps the leaves of these epochs available until `end`, also when their secrets are erased meanwhile. Costs no hash.
   * The caller calls `end` as soon as it has answered. Throws EPOCH_LOST unless every place has a seed and each of the
   * epochs, one or more, lies within the life of its secrets.
   */
  grip(places: readonly SeedPlace[], epochs: readonly number[], nowMs: number): Grip
  /** Erases all seeds. `hold` then keeps none, because work still running in a stopped node must bring no seed back. */
  wipe(): void
}

/** Copies of the states of some seeds. */
export interface Grip {
  /** The leaf of an epoch from the seed of the `i`-th place, 32 bytes. The caller wipes it. */
  leaf(i: number, epoch: number): Uint8Array
  /** Erases the copies. */
  end(): void
}

interface Held {
  /** The epoch of `state`. */
  epoch: number
  state: Uint8Array
  readonly quotaKey: Uint8Array
  /** The first epoch after the sheet, or the first in which the next roster is in force. */
  end: number
  isSettled: boolean
}

export function seedKeeper(core: Hashes): SeedKeeper {
  return new MemoryKeeper(core)
}

class MemoryKeeper implements SeedKeeper {
  readonly #core: Hashes
  /** By place, as `toName` writes it. */
  readonly #held = new Map<string, Held>()
  #isWiped = false

  constructor(core: Hashes) {
    this.#core = core
  }

  hold(place: SeedPlace, epochs: number, { epoch, state, quotaKey }: Seed): void {
    if (this.#isWiped) return
    const name = toName(place)
    if (this.#held.has(name)) {
      throw new RangeError(`"seed" expected a place without one, got part ${place.part} of shard ${place.shard}`)
    }
    this.#held.set(name, {
      epoch,
      state: copySecret(state),
      quotaKey: copySecret(quotaKey),
      end: place.firstEpoch + epochs,
      isSettled: false,
    })
  }

  seed(place: SeedPlace): Seed | undefined {
    const item = this.#find(place)
    if (item === undefined) return undefined
    return { epoch: item.epoch, state: copySecret(item.state), quotaKey: copySecret(item.quotaKey) }
  }

  has(place: SeedPlace): boolean {
    return this.#find(place) !== undefined
  }

  quotaKey(place: SeedPlace): Uint8Array | undefined {
    return this.#find(place)?.quotaKey
  }

  drop(place: SeedPlace): void {
    this.#erase(toName(place))
  }

  settle(place: SeedPlace): void {
    const item = this.#find(place)
    if (item !== undefined) item.isSettled = true
  }

  cut(firstEpoch: number, end: number): void {
    for (const [name, item] of this.#held) if (name.startsWith(`${firstEpoch} `)) item.end = Math.min(item.end, end)
  }

  advance(nowMs: number): void {
    const oldest = oldestOpenEpoch(nowMs)
    for (const [name, item] of this.#held) {
      if (oldest >= item.end) this.#erase(name)
      else if (item.isSettled) this.#wind(item, oldest)
    }
  }

  nextMs(): number | undefined {
    const epochs = [...this.#held.values()].filter(({ isSettled }) => isSettled).map(({ epoch }) => epoch)
    return epochs.length === 0 ? undefined : epochToSecretSpan(Math.min(...epochs)).to
  }

  grip(places: readonly SeedPlace[], epochs: readonly number[], nowMs: number): Grip {
    const items = places.flatMap((place) => this.#find(place) ?? [])
    for (const epoch of epochs) {
      const { from, to } = epochToSecretSpan(epoch)
      const isOpen = nowMs >= from && nowMs < to && items.length === places.length
      if (!isOpen || items.some((item) => epoch < item.epoch || epoch >= item.end)) throw lost(epoch)
    }
    const copies = items.map(({ epoch, state }) => ({ epoch, state: copySecret(state) }))
    return {
      leaf: (i, epoch) => {
        const copy = copies[i]!
        const state = ratchetTo(this.#core, copy.state, copy.epoch, epoch)
        const leaf = stateToLeaf(this.#core, state)
        state.fill(0)
        return leaf
      },
      end: () => {
        for (const { state } of copies) state.fill(0)
      },
    }
  }

  wipe(): void {
    this.#isWiped = true
    for (const name of this.#held.keys()) this.#erase(name)
  }

  #find(place: SeedPlace): Held | undefined {
    return this.#held.get(toName(place))
  }

  #erase(name: string): void {
    const item = this.#held.get(name)
    item?.state.fill(0)
    item?.quotaKey.fill(0)
    this.#held.delete(name)
  }

  #wind(item: Held, epoch: number): void {
    if (epoch <= item.epoch) return
    const state = ratchetTo(this.#core, item.state, item.epoch, epoch)
    item.state.fill(0)
    item.state = state
    item.epoch = epoch
  }
}

function lost(epoch: number): FederationError<'EPOCH_LOST'> {
  return new FederationError('EPOCH_LOST', `this node has no secrets of epoch ${epoch}: ask another replica`, { epoch })
}

function toName({ shard, firstEpoch, part, spare = '' }: SeedPlace): string {
  return `${firstEpoch} ${shard} ${part} ${spare}`
}
