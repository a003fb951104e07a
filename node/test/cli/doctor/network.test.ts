import { describe, expect, it } from 'vitest'
import { judgeClock, judgePeers, offsetsToMedian } from '../../../src/cli/doctor/network.ts'

describe('the checks of the network', () => {
  it('answers of fewer than half of the peers give a warning, no answer a problem', () => {
    const peers = (tried: number, silent: string[]) => judgePeers({ tried, silent, offsets: [] })
    expect(peers(4, ['a', 'b']).severity).toBe('ok')
    expect(peers(4, ['a', 'b', 'c'])).toMatchObject({
      severity: 'warn',
      what: '1 of 4 peers answer; no answer from a, b, c',
    })
    expect(peers(2, ['a', 'b']).severity).toBe('fail')
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
