import { epochToSecretSpan, isFederationError } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { ratchetTo, stateToLeaf } from '../../../src/salt/secrets/ratchet.ts'
import { type SeedKeeper, seedKeeper } from '../../../src/salt/secrets/seed-keeper.ts'
import { core } from '../federation.ts'

const FIRST = 350_000
const seed = () => ({ epoch: FIRST, state: systemRandom(32), quotaKey: systemRandom(32) })
const at = (shard: number, firstEpoch = FIRST, part = 0) => ({ shard, firstEpoch, part })
const leafOf = (keeper: SeedKeeper, place: ReturnType<typeof at>, epoch: number, nowMs: number): Uint8Array => {
  const grip = keeper.grip([place], [epoch], nowMs)
  const leaf = grip.leaf(0, epoch)
  grip.end()
  return leaf
}
const inSpan = (epoch: number): number => epochToSecretSpan(epoch).from + 1
const isLost = (task: () => unknown): boolean => {
  try {
    task()
    return false
  } catch (error) {
    return isFederationError(error, 'EPOCH_LOST')
  }
}

describe('the seed keeper', () => {
  it('the keeper gives the leaf of an epoch within the life of its secrets, and not a millisecond outside', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    keeper.hold(at(3), 20, given)
    for (const epoch of [FIRST, FIRST + 1, FIRST + 19]) {
      const { from, to } = epochToSecretSpan(epoch)
      const leaf = stateToLeaf(core, ratchetTo(core, given.state, FIRST, epoch))
      expect(leafOf(keeper, at(3), epoch, from)).toEqual(leaf)
      expect(leafOf(keeper, at(3), epoch, to - 1)).toEqual(leaf)
      expect(isLost(() => leafOf(keeper, at(3), epoch, from - 1))).toBe(true)
      expect(isLost(() => leafOf(keeper, at(3), epoch, to))).toBe(true)
    }
    expect(isLost(() => leafOf(keeper, at(3), FIRST + 20, inSpan(FIRST + 20)))).toBe(true)
    expect(isLost(() => leafOf(keeper, at(4), FIRST, inSpan(FIRST)))).toBe(true)
  })

  it('the keeper erases an epoch at the moment it closes, and a clock that steps back does not bring the epoch back', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    keeper.hold(at(0), 20, given)
    keeper.settle(at(0))
    const { to } = epochToSecretSpan(FIRST)
    keeper.advance(to - 1)
    expect(keeper.seed(at(0))?.epoch).toBe(FIRST)
    expect(keeper.nextMs()).toBe(to)
    keeper.advance(to)
    const left = keeper.seed(at(0))!
    expect(left.epoch).toBe(FIRST + 1)
    expect(left.state).toEqual(ratchetTo(core, given.state, FIRST, FIRST + 1))
    expect(left.state).not.toEqual(given.state)
    keeper.advance(to - 1_000_000)
    expect(isLost(() => leafOf(keeper, at(0), FIRST, to - 1_000_000))).toBe(true)
    expect(isLost(() => leafOf(keeper, at(0), FIRST + 1, to))).toBe(false)
  })

  it('the keeper winds a seed across a jump of the clock, and erases a period that is over', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    keeper.hold(at(0), 20, given)
    keeper.settle(at(0))
    keeper.advance(epochToSecretSpan(FIRST + 11).to)
    expect(keeper.seed(at(0))).toMatchObject({ epoch: FIRST + 12, quotaKey: given.quotaKey })
    expect(keeper.seed(at(0))!.state).toEqual(ratchetTo(core, given.state, FIRST, FIRST + 12))
    keeper.advance(epochToSecretSpan(FIRST + 19).to)
    expect(keeper.has(at(0))).toBe(false)
  })

  it('the keeper winds no seed before its roster is certified, and keeps it no longer than its sheet', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    keeper.hold(at(0), 20, given)
    keeper.advance(epochToSecretSpan(FIRST + 5).to)
    expect(keeper.seed(at(0))).toEqual(given)
    expect(keeper.nextMs()).toBeUndefined()
    keeper.settle(at(0))
    expect(keeper.nextMs()).toBe(epochToSecretSpan(FIRST).to)
    keeper.advance(epochToSecretSpan(FIRST + 5).to)
    expect(keeper.seed(at(0))?.epoch).toBe(FIRST + 6)
    keeper.hold(at(1), 20, seed())
    keeper.advance(epochToSecretSpan(FIRST + 19).to)
    expect(keeper.has(at(1))).toBe(false)
  })

  it('the keeper gives no leaf of an epoch that the next roster governs, and erases the seed after its last own epoch', () => {
    const keeper = seedKeeper(core)
    keeper.hold(at(0), 20, seed())
    keeper.hold(at(0, FIRST + 3), 20, seed())
    for (const firstEpoch of [FIRST, FIRST + 3]) keeper.settle(at(0, firstEpoch))
    keeper.cut(FIRST, FIRST + 3)
    expect(isLost(() => leafOf(keeper, at(0), FIRST + 2, inSpan(FIRST + 2)))).toBe(false)
    expect(isLost(() => leafOf(keeper, at(0), FIRST + 3, inSpan(FIRST + 3)))).toBe(true)
    expect(isLost(() => leafOf(keeper, at(0, FIRST + 3), FIRST + 3, inSpan(FIRST + 3)))).toBe(false)
    // A later end does not bring anything back.
    keeper.cut(FIRST, FIRST + 9)
    expect(isLost(() => leafOf(keeper, at(0), FIRST + 3, inSpan(FIRST + 3)))).toBe(true)
    keeper.advance(epochToSecretSpan(FIRST + 2).to - 1)
    expect(keeper.has(at(0))).toBe(true)
    keeper.advance(epochToSecretSpan(FIRST + 2).to)
    expect(keeper.has(at(0))).toBe(false)
    expect(keeper.seed(at(0, FIRST + 3))?.epoch).toBe(FIRST + 3)
  })

  it('the keeper overwrites a seed with zeros when it drops, wipes or outlives it, and takes none after `wipe`', () => {
    for (const end of ['drop', 'wipe', 'over'] as const) {
      const keeper = seedKeeper(core)
      keeper.hold(at(0), 20, seed())
      const key = keeper.quotaKey(at(0))!
      expect(key.some((byte) => byte !== 0)).toBe(true)
      if (end === 'drop') keeper.drop(at(0))
      if (end === 'wipe') keeper.wipe()
      if (end === 'over') keeper.advance(epochToSecretSpan(FIRST + 20).to)
      expect(key.every((byte) => byte === 0)).toBe(true)
      expect(keeper.seed(at(0))).toBeUndefined()
      // A stopped node takes no seed from work that is still running.
      keeper.hold(at(1), 20, seed())
      expect(keeper.has(at(1))).toBe(end !== 'wipe')
    }
  })

  it('a grip has the leaves of all its places, also after they are erased, until it ends', () => {
    const keeper = seedKeeper(core)
    const seeds = [seed(), seed()]
    for (const [part, given] of seeds.entries()) keeper.hold(at(0, FIRST, part), 20, given)
    const places = [at(0, FIRST, 1), at(0, FIRST, 0)]
    const grip = keeper.grip(places, [FIRST, FIRST + 1], inSpan(FIRST + 1))
    const leaf = (given: { state: Uint8Array }, epoch: number) =>
      stateToLeaf(core, ratchetTo(core, given.state, FIRST, epoch))
    keeper.wipe()
    expect(grip.leaf(0, FIRST)).toEqual(leaf(seeds[1]!, FIRST))
    expect(grip.leaf(1, FIRST + 1)).toEqual(leaf(seeds[0]!, FIRST + 1))
    grip.end()
    expect(grip.leaf(1, FIRST + 1)).not.toEqual(leaf(seeds[0]!, FIRST + 1))
    const other = seedKeeper(core)
    other.hold(at(0, FIRST, 0), 20, seed())
    // One of the two places has no seed.
    expect(isLost(() => other.grip(places, [FIRST], inSpan(FIRST)))).toBe(true)
  })

  it('the keeper holds copies, and refuses a second seed for one part, shard and period', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    const state = Uint8Array.from(given.state)
    keeper.hold(at(0), 20, given)
    given.state.fill(0)
    expect(keeper.seed(at(0))!.state).toEqual(state)
    keeper.seed(at(0))!.state.fill(0)
    expect(keeper.seed(at(0))!.state).toEqual(state)
    expect(() => keeper.hold(at(0), 20, seed())).toThrow(RangeError)
    keeper.hold(at(0, FIRST + 20), 20, seed())
    keeper.hold(at(1), 20, seed())
    keeper.hold(at(0, FIRST, 1), 20, seed())
    expect(keeper.seed(at(0))!.state).toEqual(state)
  })
})
