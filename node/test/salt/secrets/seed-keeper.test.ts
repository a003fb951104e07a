import { epochToSecretSpan, isFederationError } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { leafToSalts, ratchetTo, stateToLeaf } from '../../../src/salt/secrets/ratchet.ts'
import { seedKeeper } from '../../../src/salt/secrets/seed-keeper.ts'
import { core } from '../federation.ts'

const FIRST = 350_000
const seed = () => ({ epoch: FIRST, state: systemRandom(32), quotaKey: systemRandom(32) })
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
  it('the keeper gives the salts of an epoch within the life of its secrets, and not a millisecond outside', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    keeper.hold(3, FIRST, 20, given)
    for (const epoch of [FIRST, FIRST + 1, FIRST + 19]) {
      const { from, to } = epochToSecretSpan(epoch)
      const leaf = stateToLeaf(core, ratchetTo(core, given.state, FIRST, epoch))
      expect(keeper.salts(3, FIRST, epoch, from)).toEqual(leafToSalts(core, leaf, epoch))
      expect(keeper.salts(3, FIRST, epoch, to - 1)).toEqual(leafToSalts(core, leaf, epoch))
      expect(isLost(() => keeper.salts(3, FIRST, epoch, from - 1))).toBe(true)
      expect(isLost(() => keeper.salts(3, FIRST, epoch, to))).toBe(true)
    }
    expect(isLost(() => keeper.salts(3, FIRST, FIRST + 20, inSpan(FIRST + 20)))).toBe(true)
    expect(isLost(() => keeper.salts(4, FIRST, FIRST, inSpan(FIRST)))).toBe(true)
  })

  it('the keeper erases an epoch at the moment it closes, and a clock that steps back does not bring the epoch back', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    keeper.hold(0, FIRST, 20, given)
    keeper.settle(0, FIRST)
    const { to } = epochToSecretSpan(FIRST)
    keeper.advance(to - 1)
    expect(keeper.seed(0, FIRST)?.epoch).toBe(FIRST)
    expect(keeper.nextMs()).toBe(to)
    keeper.advance(to)
    const left = keeper.seed(0, FIRST)!
    expect(left.epoch).toBe(FIRST + 1)
    expect(left.state).toEqual(ratchetTo(core, given.state, FIRST, FIRST + 1))
    expect(left.state).not.toEqual(given.state)
    keeper.advance(to - 1_000_000)
    expect(isLost(() => keeper.salts(0, FIRST, FIRST, to - 1_000_000))).toBe(true)
    expect(isLost(() => keeper.salts(0, FIRST, FIRST + 1, to))).toBe(false)
  })

  it('the keeper winds a seed across a jump of the clock, and erases a period that is over', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    keeper.hold(0, FIRST, 20, given)
    keeper.settle(0, FIRST)
    keeper.advance(epochToSecretSpan(FIRST + 11).to)
    expect(keeper.seed(0, FIRST)).toMatchObject({ epoch: FIRST + 12, quotaKey: given.quotaKey })
    expect(keeper.seed(0, FIRST)!.state).toEqual(ratchetTo(core, given.state, FIRST, FIRST + 12))
    keeper.advance(epochToSecretSpan(FIRST + 19).to)
    expect(keeper.has(0, FIRST)).toBe(false)
  })

  it('the keeper winds no seed before its roster is certified, and keeps it no longer than its sheet', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    keeper.hold(0, FIRST, 20, given)
    keeper.advance(epochToSecretSpan(FIRST + 5).to)
    expect(keeper.seed(0, FIRST)).toEqual(given)
    expect(keeper.nextMs()).toBeUndefined()
    keeper.settle(0, FIRST)
    expect(keeper.nextMs()).toBe(epochToSecretSpan(FIRST).to)
    keeper.advance(epochToSecretSpan(FIRST + 5).to)
    expect(keeper.seed(0, FIRST)?.epoch).toBe(FIRST + 6)
    keeper.hold(1, FIRST, 20, seed())
    keeper.advance(epochToSecretSpan(FIRST + 19).to)
    expect(keeper.has(1, FIRST)).toBe(false)
  })

  it('the keeper gives no salt of an epoch that the next roster governs, and erases the seed after its last own epoch', () => {
    const keeper = seedKeeper(core)
    keeper.hold(0, FIRST, 20, seed())
    keeper.hold(0, FIRST + 3, 20, seed())
    for (const firstEpoch of [FIRST, FIRST + 3]) keeper.settle(0, firstEpoch)
    keeper.cut(FIRST, FIRST + 3)
    expect(isLost(() => keeper.salts(0, FIRST, FIRST + 2, inSpan(FIRST + 2)))).toBe(false)
    expect(isLost(() => keeper.salts(0, FIRST, FIRST + 3, inSpan(FIRST + 3)))).toBe(true)
    expect(isLost(() => keeper.salts(0, FIRST + 3, FIRST + 3, inSpan(FIRST + 3)))).toBe(false)
    // A later end does not bring anything back.
    keeper.cut(FIRST, FIRST + 9)
    expect(isLost(() => keeper.salts(0, FIRST, FIRST + 3, inSpan(FIRST + 3)))).toBe(true)
    keeper.advance(epochToSecretSpan(FIRST + 2).to - 1)
    expect(keeper.has(0, FIRST)).toBe(true)
    keeper.advance(epochToSecretSpan(FIRST + 2).to)
    expect(keeper.has(0, FIRST)).toBe(false)
    expect(keeper.seed(0, FIRST + 3)?.epoch).toBe(FIRST + 3)
  })

  it('the keeper overwrites a seed with zeros when it drops, wipes or outlives it, and takes none after `wipe`', () => {
    for (const end of ['drop', 'wipe', 'over'] as const) {
      const keeper = seedKeeper(core)
      keeper.hold(0, FIRST, 20, seed())
      const key = keeper.quotaKey(0, FIRST)!
      expect(key.some((byte) => byte !== 0)).toBe(true)
      if (end === 'drop') keeper.drop(0, FIRST)
      if (end === 'wipe') keeper.wipe()
      if (end === 'over') keeper.advance(epochToSecretSpan(FIRST + 20).to)
      expect(key.every((byte) => byte === 0)).toBe(true)
      expect(keeper.seed(0, FIRST)).toBeUndefined()
      // A stopped node takes no seed from work that is still running.
      keeper.hold(1, FIRST, 20, seed())
      expect(keeper.has(1, FIRST)).toBe(end !== 'wipe')
    }
  })

  it('the keeper holds copies, and refuses a second seed for one shard and period', () => {
    const keeper = seedKeeper(core)
    const given = seed()
    const state = Uint8Array.from(given.state)
    keeper.hold(0, FIRST, 20, given)
    given.state.fill(0)
    expect(keeper.seed(0, FIRST)!.state).toEqual(state)
    keeper.seed(0, FIRST)!.state.fill(0)
    expect(keeper.seed(0, FIRST)!.state).toEqual(state)
    expect(() => keeper.hold(0, FIRST, 20, seed())).toThrow(RangeError)
    keeper.hold(0, FIRST + 20, 20, seed())
    keeper.hold(1, FIRST, 20, seed())
    expect(keeper.seed(0, FIRST)!.state).toEqual(state)
  })
})
