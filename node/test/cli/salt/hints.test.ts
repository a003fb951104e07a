import { describe, expect, it } from 'vitest'
import { joiningText } from '../../../src/cli/salt/joining-text.ts'
import type { Joining } from '../../../src/membership/joining.ts'
import { HOUR, NOW, saltStatus, sampleStatus, sampleView } from './samples.ts'

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
      sampleStatus({ state: 'joining', roster: undefined, reach: { asked: 3, answered: 0, strayed: [], atMs: NOW } }),
      /no other peer answers/,
    ],
    [
      'a founding with one answer of three',
      sampleStatus({ state: 'joining', roster: undefined, reach: { asked: 3, answered: 1, strayed: [], atMs: NOW } }),
      /1 of 3 peers answer/,
    ],
    ['two answers of five', sampleStatus({ reach: { asked: 5, answered: 2, strayed: [], atMs: NOW } }), /only 2 of 5/],
    [
      'a missing seed',
      sampleStatus({ state: 'seeds-missing', shards: [{ firstEpoch: 0, shard: 4, held: false }] }),
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
    [
      'one peer of another federation',
      sampleStatus({}, { strayed: ['ash'] }),
      /^warn: 1 peer runs another federation than 0123456789abcdef: ash/,
    ],
    [
      'most peers of another federation',
      sampleStatus({}, { strayed: ['ash', 'birch', 'cedar', 'elm', 'fir'] }),
      /^fail: 5 peers run another federation/,
    ],
    ['a small disk', sampleStatus({}, { diskFreeBytes: 49 << 20 }), /^warn: 49 MiB of the disk are free$/],
    ['a full disk', sampleStatus({}, { diskFreeBytes: 3 << 20 }), /^fail: 3 MiB .* refuses requests/],
    [
      'the last replicas of three shards',
      sampleStatus({}, { view: sampleView({ soleShards: [1, 4, 7] }) }),
      /^warn: no other replica of shards 1, 4, 7 is online/,
    ],
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
  })

  it('a node that waits shows each stage of its way with its date, and the step that is missing', () => {
    const steps = (joining: Joining) => {
      const view = sampleView({ joining, votes: false })
      const [hint] = sampleStatus({ state: 'waiting' }, { view }).hints
      return [hint!.what, hint!.next]
    }
    const none = { endorsed: undefined, admitted: undefined, ranked: undefined, passedBy: undefined, serves: undefined }
    expect(steps(none)).toEqual([
      'no application of this node is known here, and no roster names it',
      expect.stringMatching(/send the file of `geotrace federation join` to sponsors/),
    ])
    expect(steps({ ...none, endorsed: { by: ['ash'], needs: 3 } })).toEqual([
      'endorsed 1 of 3 (ash)',
      expect.stringMatching(/ask 2 more of the operators/),
    ])
    const endorsed = { by: ['ash', 'birch', 'cedar'], needs: 3 }
    const serves = { height: 5, fromMs: Date.UTC(2026, 10, 24, 6, 40), isExpected: true }
    const admitted = { height: 3, fromMs: Date.UTC(2026, 10, 22, 6, 40) }
    const ranked = { height: 4, fromMs: admitted.fromMs + 24 * HOUR }
    expect(steps({ endorsed, admitted, ranked, passedBy: undefined, serves })).toEqual([
      'endorsed 3 of 3 (ash, birch, cedar) · admitted by roster 3 (from 2026-11-22 06:40 UTC) · ranked by roster 4 (from 2026-11-23 06:40 UTC) · serves from roster 5, about Tuesday 2026-11-24 06:40 UTC',
      'no action: keep the node running',
    ])
  })

  it('missing parts of the next period give a warning from the half of the effort on, and none right after a start', () => {
    const nextPeriod = { neededMs: NOW + 2 * HOUR, lateFromMs: NOW, parts: 10, missing: [{ shard: 4, parts: 2 }] }
    const hints = (more: object, startedMs = NOW - HOUR) =>
      sampleStatus({ startedMs, nextPeriod: { ...nextPeriod, ...more } }).hints.map(({ what }) => what)
    expect(hints({})).toEqual([
      '2 of 10 parts of the next period are missing, for shard 4; they are needed from 2026-11-21 14:00 UTC',
    ])
    expect(hints({ lateFromMs: NOW + 1 })).toEqual([])
    expect(hints({ missing: [] })).toEqual([])
    expect(hints({}, NOW - 1_000)).toEqual([])
    // The health stays, because a service manager that restarts the node would make it worse.
    expect(sampleStatus({ nextPeriod }).health).toBe('serving')
  })

  it('a newcomer that no roster has ranked yet waits for nonces, and its status says so', () => {
    const admitted = { height: 3, fromMs: NOW - HOUR }
    const serves = { height: 6, fromMs: NOW + 48 * HOUR, isExpected: true }
    const text = (passedBy: Joining['passedBy']) =>
      joiningText({ endorsed: undefined, admitted, ranked: undefined, passedBy, serves })
    expect(text(undefined)).toContain('· waits for the nonces of the operators, which the next roster')
    expect(text({ height: 4, fromMs: NOW })).toContain(
      'roster 4 (from 2026-11-21 12:00 UTC) had too few and ranked nobody',
    )
  })
})
