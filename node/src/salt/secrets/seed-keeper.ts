/**
 * Keeps the seeds of a salt node in memory only, ratchets them with the clock, and overwrites dropped seeds with zeros.
 * PROTOCOL.md §5.1. Throws EPOCH_LOST for salts whose secrets are erased.
 * Every copy made here is wiped, and V8 never moves it before that. `memory.test.ts` searches the process's memory for
 * copies.
 */
import { epochToSecretSpan, FederationError, oldestOpenEpoch, type Seed } from '@geotrace/core-wasm/wire'
import { type Hashes, leafToSalts, ratchetTo, stateToLeaf } from './ratchet.ts'
import { copySecret } from './secret-bytes.ts'

export interface SeedKeeper {
  /** Keeps a copy of the seed, but none after `wipe`. Throws RangeError for a second seed of one shard and period. */
  hold(shard: number, firstEpoch: number, epochs: number, seed: Seed): void
  /** A copy of the seed at its current epoch, for another replica. The caller wipes the copy. */
  seed(shard: number, firstEpoch: number): Seed | undefined
  has(shard: number, firstEpoch: number): boolean
  quotaKey(shard: number, firstEpoch: number): Uint8Array | undefined
  drop(shard: number, firstEpoch: number): void
  /** The roster is certified: from now on `advance` ratchets the seed. Until then late replicas need the whole seed. */
  settle(shard: number, firstEpoch: number): void
  /** Another roster is in force from epoch `end` on, so the period's seeds are not needed from `end` on. */
  cut(firstEpoch: number, end: number): void
  /** Erases settled states before the oldest epoch open at `nowMs`. A clock that steps back brings none back. */
  advance(nowMs: number): void
  /** Unix ms at which `advance` next has a seed to ratchet; undefined while no settled seed is held. */
  nextMs(): number | undefined
  /**
   * Keeps the salts of these epochs available until `end`, also when their secrets are erased meanwhile. Costs no hash.
   * The caller calls `end` as soon as it has answered. Throws EPOCH_LOST.
   */
  grip(shard: number, firstEpoch: number, epochs: Iterable<number>, nowMs: number): Grip
  /** The 31 salts of an epoch, 32 bytes each, within the life of its secrets only. Throws EPOCH_LOST. */
  salts(shard: number, firstEpoch: number, epoch: number, nowMs: number): Uint8Array
  /** Erases all seeds. `hold` then keeps none, because work still running in a stopped node must bring no seed back. */
  wipe(): void
}

/** A copy of one seed's state. */
export interface Grip {
  /** The 31 salts of an epoch, 32 bytes each. */
  salts(epoch: number): Uint8Array
  /** Erases the copy. */
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
  /** By shard and period, as `toName` writes them. */
  readonly #held = new Map<string, Held>()
  #isWiped = false

  constructor(core: Hashes) {
    this.#core = core
  }

  hold(shard: number, firstEpoch: number, epochs: number, { epoch, state, quotaKey }: Seed): void {
    const name = toName(shard, firstEpoch)
    if (this.#isWiped) return
    if (this.#held.has(name)) throw new RangeError(`"seed" expected a shard and period without one, got shard ${shard}`)
    this.#held.set(name, {
      epoch,
      state: copySecret(state),
      quotaKey: copySecret(quotaKey),
      end: firstEpoch + epochs,
      isSettled: false,
    })
  }

  seed(shard: number, firstEpoch: number): Seed | undefined {
    const item = this.#find(shard, firstEpoch)
    if (item === undefined) return undefined
    return { epoch: item.epoch, state: copySecret(item.state), quotaKey: copySecret(item.quotaKey) }
  }

  has(shard: number, firstEpoch: number): boolean {
    return this.#find(shard, firstEpoch) !== undefined
  }

  quotaKey(shard: number, firstEpoch: number): Uint8Array | undefined {
    return this.#find(shard, firstEpoch)?.quotaKey
  }

  drop(shard: number, firstEpoch: number): void {
    this.#erase(toName(shard, firstEpoch))
  }

  settle(shard: number, firstEpoch: number): void {
    const item = this.#find(shard, firstEpoch)
    if (item !== undefined) item.isSettled = true
  }

  cut(firstEpoch: number, end: number): void {
    for (const [name, item] of this.#held) if (name.endsWith(` ${firstEpoch}`)) item.end = Math.min(item.end, end)
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

  salts(shard: number, firstEpoch: number, epoch: number, nowMs: number): Uint8Array {
    const grip = this.grip(shard, firstEpoch, [epoch], nowMs)
    try {
      return grip.salts(epoch)
    } finally {
      grip.end()
    }
  }

  grip(shard: number, firstEpoch: number, epochs: Iterable<number>, nowMs: number): Grip {
    const item = this.#find(shard, firstEpoch)
    for (const epoch of epochs) {
      const { from, to } = epochToSecretSpan(epoch)
      if (item === undefined || epoch < item.epoch || epoch >= item.end || nowMs < from || nowMs >= to) {
        throw lost(epoch)
      }
    }
    if (item === undefined) throw lost(firstEpoch)
    const first = item.epoch
    const state = copySecret(item.state)
    return {
      salts: (epoch) => stateToSalts(this.#core, state, first, epoch),
      end: () => void state.fill(0),
    }
  }

  wipe(): void {
    this.#isWiped = true
    for (const name of this.#held.keys()) this.#erase(name)
  }

  #find(shard: number, firstEpoch: number): Held | undefined {
    return this.#held.get(toName(shard, firstEpoch))
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

function stateToSalts(core: Hashes, first: Uint8Array, firstEpoch: number, epoch: number): Uint8Array {
  const state = ratchetTo(core, first, firstEpoch, epoch)
  const leaf = stateToLeaf(core, state)
  const salts = leafToSalts(core, leaf, epoch)
  state.fill(0)
  leaf.fill(0)
  return salts
}

function lost(epoch: number): FederationError<'EPOCH_LOST'> {
  return new FederationError('EPOCH_LOST', `this node has no secrets of epoch ${epoch}: ask another replica`, { epoch })
}

function toName(shard: number, firstEpoch: number): string {
  return `${shard} ${firstEpoch}`
}
