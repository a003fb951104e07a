import { RELAY_PROTOCOL } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { centralLines, statusLines } from '../../src/cli/status.ts'
import { HOUR, NOW, sampleStatus, sampleView } from './salt/samples.ts'

const row = (lines: readonly string[], name: string) => lines.find((line) => line.startsWith(`${name} `))

describe('the output of geotrace status', () => {
  it('a healthy node has one line for each value and no hints', () => {
    const lines = statusLines(sampleStatus())
    expect(lines).toHaveLength(19)
    expect(row(lines, 'state')).toMatch(/serving, up for 1 h 0 min$/)
    expect(row(lines, 'federation')).toMatch(/0123456789abcdef$/)
    expect(row(lines, 'roster')).toMatch(/in force until 2026-11-21 13:00 UTC, for 1 h 0 min more$/)
    expect(row(lines, 'vote')).toMatch(/this node votes$/)
    expect(row(lines, 'shards')).toMatch(/1; the federation has 5$/)
    expect(row(lines, 'clock')).toMatch(/equal to the median of the peers$/)
    expect(row(lines, 'relay')).toMatch(/0 sealed syncs passed on, 0 refused; the central peer is linked$/)
    expect(row(lines, 'seal')).toMatch(/5ea15ea15ea15ea1, valid at least until 2026-11-21 13:00 UTC$/)
    expect(row(lines, 'version')).toMatch(/as the federation pins it$/)
  })

  it('a relay shows the frames that it passed on and refused, and that the central peer is away', () => {
    const relay = { answered: 1_200, refused: { BUSY: 3, QUOTA_SPENT: 1 }, bytes: 0 }
    const network = { connections: 1, waiting: 0, inFlight: 0, protocols: { [RELAY_PROTOCOL.id]: relay } }
    const central = { ...sampleView().central!, isLinked: false }
    const lines = statusLines(sampleStatus({ network }, { view: sampleView({ central }) }))
    expect(row(lines, 'relay')).toMatch(/1 200 sealed syncs passed on, 4 refused; no connection to the central peer$/)
    expect(row(statusLines(sampleStatus({}, { view: sampleView({ central: undefined }) })), 'seal')).toBeUndefined()
  })

  it('a hint stands below the values with its next step', () => {
    const lines = statusLines(sampleStatus({ shards: [{ firstEpoch: 0, shard: 4, held: false }] }))
    expect(row(lines, 'shards')).toMatch(/none; the federation has 5; seeds are missing for 4$/)
    expect(lines.slice(-3)).toEqual(['', expect.stringMatching(/^warn: the seeds/), expect.stringMatching(/^ {2}→ /)])
  })

  it('the roster in force stands first, with its reserve or its end, and the next roster below it', () => {
    const roster = sampleView().roster!
    const lines = (more: object, rest = {}) =>
      statusLines(sampleStatus({}, { view: sampleView({ roster: { ...roster, ...more }, ...rest }) }))
    const words = (more: object) => row(lines(more), 'roster')
    expect(words({ fromMs: NOW + HOUR })).toMatch(/begins 2026-11-21 13:00 UTC, in 1 h 0 min$/)
    expect(words({ untilMs: NOW })).toMatch(/on its reserve until 2026-11-21 14:00 UTC, for 2 h 0 min more$/)
    expect(words({ untilMs: NOW, reserveUntilMs: NOW })).toMatch(/expired 2026-11-21 12:00 UTC$/)
    const next = { ...roster, height: 4, fromMs: NOW + HOUR }
    expect(lines({}, { nextRoster: next }).filter((line) => /roster/.test(line))).toEqual([
      expect.stringMatching(/^roster +3 .*in force/),
      expect.stringMatching(/^next roster +4 .*begins/),
    ])
    const founding = statusLines(sampleStatus({ roster: undefined }))
    expect(row(founding, 'roster')).toMatch(/none is certified yet$/)
  })

  it('a peer of another federation and a clock that is off are named', () => {
    const lines = statusLines(sampleStatus({ clockOffsetMs: -9_000 }, { strayed: ['ash'] }))
    expect(row(lines, 'peers')).toMatch(/4 of 4 answered 0 s ago; of another federation: ash$/)
    expect(row(lines, 'clock')).toMatch(/9\.0 s after the median of the peers$/)
  })

  it('the status of the central peer has words for names and for objects', () => {
    const codes = { open: 3, spent: 1 }
    expect(centralLines({ state: 'serving', groupsRefused: 2, addresses: ['/a', '/b'], days: [], codes })).toEqual([
      'state           serving',
      'groups refused  2',
      'addresses       /a; /b',
      'days            none',
      'codes           open 3, spent 1',
    ])
  })

  it('held reports stand in the last row of the status, and below it the next step', () => {
    expect(centralLines({ state: 'serving', held: [] })).toEqual(['state         serving', 'held reports  none'])
    const held = [
      { report: 3, people: undefined },
      { report: 5, people: 20_000 },
    ]
    expect(centralLines({ held, state: 'serving' })).toEqual([
      'state         serving',
      'held reports  2 reports: 3 (review), 5 (would mark 20 000 people)',
      '',
      'warn: 2 reports held until you decide',
      '  → geotrace reports list',
    ])
  })
})
