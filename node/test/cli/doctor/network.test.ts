import { describe, expect, it } from 'vitest'
import { judgeClock, judgePeers, offsetsToMedian } from '../../../src/cli/doctor/network.ts'

describe('the checks of the network', () => {
  it('answers of fewer than half of the peers give a warning, no answer a problem', () => {
    const peers = (tried: number, silent: string[]) => judgePeers({ tried, strayed: [], silent, offsets: [] }, true)
    expect(peers(4, ['a', 'b']).severity).toBe('ok')
    expect(peers(4, ['a', 'b', 'c'])).toMatchObject({
      severity: 'warn',
      what: '1 of 4 peers answer; no answer from a, b, c',
    })
    expect(peers(2, ['a', 'b']).severity).toBe('fail')
    expect(judgePeers({ tried: 2, strayed: [], silent: ['a', 'b'], offsets: [] }, false)).toMatchObject({
      severity: 'warn',
      next: expect.stringMatching(/before the founding no peer may be online/),
    })
  })

  it('a peer of another federation gives a warning, and most peers of another federation give a problem', () => {
    const seen = (strayed: string[]) => judgePeers({ tried: 4, strayed, silent: [], offsets: [] }, true)
    expect(seen(['ash'])).toMatchObject({
      severity: 'warn',
      what: '4 of 4 peers answer; of another federation: ash',
      next: expect.stringMatching(/compare the federation ids/),
    })
    expect(seen(['ash', 'birch', 'cedar'])).toMatchObject({
      severity: 'fail',
      next: expect.stringMatching(/of another founding/),
    })
  })

  it('a clock more than 5 s off gives a warning, more than 30 s a problem', () => {
    expect([999, 5_000, 5_001, -30_000, -30_001, undefined].map((off) => judgeClock(off).severity)).toEqual([
      'ok',
      'ok',
      'warn',
      'warn',
      'fail',
      'warn',
    ])
  })

  it('one peer alone cannot outvote the own clock, and two peers can', () => {
    expect([[], [60_000], [60_000, 61_000]].map(offsetsToMedian)).toEqual([undefined, 0, 60_000])
  })
})
