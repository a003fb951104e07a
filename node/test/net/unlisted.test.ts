import { describe, expect, it } from 'vitest'
import { UNLISTED_WAIT_MAX_MS, UNLISTED_WAIT_MS, UnlistedAddresses } from '../../src/net/unlisted.ts'

const peer = { key: new Uint8Array(32), addresses: ['a', 'b', 'c'], unlisted: ['a', 'b'] }

describe('addresses that only a presence names', () => {
  it('a failed dial leaves them out for ten seconds, then twice as long up to ten minutes, and roster addresses never', () => {
    let nowMs = 0
    const unlisted = new UnlistedAddresses(() => nowMs)
    const waits: number[] = []
    for (let waitMs = UNLISTED_WAIT_MS; waits.length < 9; waitMs = Math.min(2 * waitMs, UNLISTED_WAIT_MAX_MS)) {
      expect(unlisted.select(peer)).toEqual(['a', 'b', 'c'])
      unlisted.failed(peer)
      nowMs += waitMs - 1
      expect(unlisted.select(peer)).toEqual(['c'])
      nowMs += 1
      waits.push(waitMs)
    }
    expect(waits.at(-1)).toBe(UNLISTED_WAIT_MAX_MS)
  })

  it('a dial that left an address out does not lengthen its wait', () => {
    let nowMs = 0
    const unlisted = new UnlistedAddresses(() => nowMs)
    unlisted.failed(peer)
    unlisted.failed({ ...peer, addresses: unlisted.select(peer) })
    nowMs = UNLISTED_WAIT_MS
    expect(unlisted.select(peer)).toEqual(['a', 'b', 'c'])
  })
})
