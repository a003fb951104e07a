import { describe, expect, it } from 'vitest'
import { HOUR, NOW, saltStatus, sampleStatus } from './samples.ts'

const lines = (status: ReturnType<typeof sampleStatus>) => status.hints.map(({ level, what }) => `${level}: ${what}`)
const roster = saltStatus().roster!
type Membership = NonNullable<ReturnType<typeof saltStatus>['membership']>
const twoPins = { isForked: false, evidence: ['votes', 'pins'] } as unknown as Membership
const quiet = { connections: 1, inFlight: 0, protocols: {} }

describe('the hints of a salt node', () => {
  it.each([
    ['a clock 41 s off', sampleStatus({ clockOffsetMs: 41_000 }), /^fail: the clock is 41 s off/],
    ['a clock 6 s off', sampleStatus({ clockOffsetMs: -6_000 }), /^warn: the clock is 6 s off/],
    [
      'a founding without an answer',
      sampleStatus({ state: 'joining', roster: undefined, reach: { asked: 3, answered: 0, atMs: NOW } }),
      /no other peer answers/,
    ],
    [
      'a founding with one answer of three',
      sampleStatus({ state: 'joining', roster: undefined, reach: { asked: 3, answered: 1, atMs: NOW } }),
      /1 of 3 peers answer/,
    ],
    ['two answers of five', sampleStatus({ reach: { asked: 5, answered: 2, atMs: NOW } }), /only 2 of 5/],
    [
      'a missing seed',
      sampleStatus({ shards: [{ firstEpoch: 0, shard: 4, held: false }] }),
      /seeds of shard 4 are missing/,
    ],
    [
      'a roster past its period',
      sampleStatus({ roster: { ...roster, untilMs: NOW } }),
      /^warn: .*its reserve lasts until 2026-11-21 14:00 UTC/,
    ],
    [
      'a roster past its reserve',
      sampleStatus({ roster: { ...roster, untilMs: NOW, reserveUntilMs: NOW } }),
      /^fail: roster 3 has expired/,
    ],
    ['another build of the core', sampleStatus({ core: 'c'.repeat(64) }), /pins another build/],
    [
      'evidence of two pins',
      sampleStatus({ membership: twoPins }),
      /^warn: the central peer signed two rosters for one epoch/,
    ],
    ['memory near its limit', sampleStatus({}, { memoryBytes: 181 }), /refuses salt requests/],
    ['a restored node', sampleStatus({}, { abstainsUntilMs: NOW + HOUR }), /does not vote before 2026-11-21 13:00 UTC/],
    ['eleven answers of BUSY', sampleStatus({ refused: { BUSY: 11 } }), /11 requests were refused with BUSY/],
    ['a hundred waiting sockets', sampleStatus({ network: { ...quiet, waiting: 100 } }), /100 sockets wait/],
  ])('%s gives one hint with a next step', (_what, status, expected) => {
    expect(lines(status)).toEqual([expect.stringMatching(expected)])
    expect(status.hints[0]!.next.length).toBeGreaterThan(20)
  })

  it('a founding that takes less than 30 s gives no hint', () => {
    const founding = { state: 'joining', roster: undefined, reach: undefined, startedMs: NOW - 29_000 } as const
    expect(lines(sampleStatus(founding))).toEqual([])
  })

  it('ten answers of BUSY among a thousand requests give no hint', () => {
    expect(lines(sampleStatus({ refused: { BUSY: 10 } }))).toEqual([])
  })

  it('a fork and a node that waits for its first roster each give a hint', () => {
    const membership = { isForked: true, evidence: [] } as unknown as Membership
    expect(lines(sampleStatus({ membership }))).toEqual([expect.stringMatching(/^fail: two rosters of one period/)])
    expect(lines(sampleStatus({ state: 'waiting' }))).toEqual([
      expect.stringMatching(/^warn: no roster names this node/),
    ])
  })
})
