/**
 * The seeds of a salt node: in memory only, wound forward with the clock, overwritten with zeros when dropped.
 * PROTOCOL.md §5.1. Throws EPOCH_LOST for salts whose secrets are erased.
 * Every copy made here is wiped, and V8 never moves it before that. `memory.test.ts` searches the process's memory for
 * copies.
 */
import { epochToSecretSpan, FederationError, oldestOpenEpoch, type Seed } from '@geotrace/core-wasm/wire'
import { type Hashes, leafToSalts, ratchetTo, stateToLeaf } from './ratchet.ts'
import { copySecret } from './secret-bytes.ts'

export interface SeedKeeper {
  /** Keeps a copy of the seed; after `wipe` it keeps nothing. RangeError when it has one for this shard and period. */
  hold(shard: number, firstEpoch: number, epochs: number, seed: Seed): void
  /** A copy of the seed at its current epoch, for another replica. The caller wipes the copy. */
  seed(shard: number, firstEpoch: number): Seed | undefined
  has(shard: number, firstEpoch: number): boolean
  quotaKey(shard: number, firstEpoch: number): Uint8Array | undefined
  drop(shard: number, firstEpoch: number): void
  /** The roster is certified: from now on `advance` winds the seed. Before, it stays whole for late replicas. */
  settle(shard: number, firstEpoch: number): void
  /** Another roster is in force from epoch `end` on, so the period's seeds are not needed after it. */
  cut(firstEpoch: number, end: number): void
  /** Erases settled states before the oldest epoch open at `nowMs`. A clock that steps back brings none back. */
  advance(nowMs: number): void
  /** When `advance` has something to wind next, Unix ms; undefined while no settled seed is held. */
  nextMs(): number | undefined
  /** The 31 salts of an epoch, 32 bytes each, within the life of its secrets only. Throws EPOCH_LOST. */
  salts(shard: number, firstEpoch: number, epoch: number, nowMs: number): Uint8Array
  /** Erases all seeds and takes no more, because work still running in a stopped node must not bring a seed back. */
  wipe(): void
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
  const held = new Map<string, Held>()
  let wiped = false
  const name = (shard: number, firstEpoch: number): string => `${shard} ${firstEpoch}`

  const forget = (key: string): void => {
    const item = held.get(key)
    item?.state.fill(0)
    item?.quotaKey.fill(0)
    held.delete(key)
  }
  const wind = (item: Held, epoch: number): void => {
    if (epoch <= item.epoch) return
    const state = ratchetTo(core, item.state, item.epoch, epoch)
    item.state.fill(0)
    item.state = state
    item.epoch = epoch
  }

  return {
    hold(shard, firstEpoch, epochs, { epoch, state, quotaKey }) {
      const key = name(shard, firstEpoch)
      if (wiped) return
      if (held.has(key)) throw new RangeError(`"seed" expected a shard and period without one, got shard ${shard}`)
      held.set(key, {
        epoch,
        state: copySecret(state),
        quotaKey: copySecret(quotaKey),
        end: firstEpoch + epochs,
        isSettled: false,
      })
    },
    seed(shard, firstEpoch) {
      const item = held.get(name(shard, firstEpoch))
      if (item === undefined) return undefined
      return { epoch: item.epoch, state: copySecret(item.state), quotaKey: copySecret(item.quotaKey) }
    },
    has: (shard, firstEpoch) => held.has(name(shard, firstEpoch)),
    quotaKey: (shard, firstEpoch) => held.get(name(shard, firstEpoch))?.quotaKey,
    drop: (shard, firstEpoch) => forget(name(shard, firstEpoch)),
    settle(shard, firstEpoch) {
      const item = held.get(name(shard, firstEpoch))
      if (item !== undefined) item.isSettled = true
    },
    cut(firstEpoch, end) {
      for (const [key, item] of held) if (key.endsWith(` ${firstEpoch}`)) item.end = Math.min(item.end, end)
    },
    advance(nowMs) {
      const oldest = oldestOpenEpoch(nowMs)
      for (const [key, item] of held) {
        if (oldest >= item.end) forget(key)
        else if (item.isSettled) wind(item, oldest)
      }
    },
    nextMs() {
      const epochs = [...held.values()].filter(({ isSettled }) => isSettled).map(({ epoch }) => epoch)
      return epochs.length === 0 ? undefined : epochToSecretSpan(Math.min(...epochs)).to
    },
    salts(shard, firstEpoch, epoch, nowMs) {
      const item = held.get(name(shard, firstEpoch))
      const { from, to } = epochToSecretSpan(epoch)
      if (item === undefined || epoch < item.epoch || epoch >= item.end || nowMs < from || nowMs >= to) {
        throw new FederationError('EPOCH_LOST', `the secrets of epoch ${epoch} are not here`, { epoch })
      }
      const state = ratchetTo(core, item.state, item.epoch, epoch)
      const leaf = stateToLeaf(core, state)
      const salts = leafToSalts(core, leaf, epoch)
      state.fill(0)
      leaf.fill(0)
      return salts
    },
    wipe() {
      wiped = true
      for (const key of held.keys()) forget(key)
    },
  }
}
