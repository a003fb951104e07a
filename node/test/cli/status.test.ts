import { describe, expect, it } from 'vitest'
import { centralLines, statusLines } from '../../src/cli/status.ts'
import { HOUR, NOW, saltStatus, sampleStatus } from './salt/samples.ts'

const row = (lines: readonly string[], name: string) => lines.find((line) => line.startsWith(`${name} `))

describe('the output of geotrace status', () => {
  it('a healthy node has one line for each value and no hints', () => {
    const lines = statusLines(sampleStatus())
    expect(lines).toHaveLength(13)
    expect(row(lines, 'state')).toMatch(/serving, up for 1 h 0 min$/)
    expect(row(lines, 'roster')).toMatch(/3 \(0123456789abcdef\), began 1 h 0 min ago, its period ends in 1 h 0 min$/)
    expect(row(lines, 'vote')).toMatch(/this node votes$/)
    expect(row(lines, 'shards')).toMatch(/1 of 5$/)
    expect(row(lines, 'version')).toMatch(/as the federation pins it$/)
  })

  it('a hint stands below the values with its next step', () => {
    const lines = statusLines(sampleStatus({ shards: [{ firstEpoch: 0, shard: 4, held: false }] }))
    expect(row(lines, 'shards')).toMatch(/none of 5; seeds missing: 4$/)
    expect(lines.slice(-3)).toEqual(['', expect.stringMatching(/^warn: the seeds/), expect.stringMatching(/^ {2}→ /)])
  })

  it('the roster line tells a coming, a reserve and an expired roster apart', () => {
    const roster = saltStatus().roster!
    const words = (more: object) => row(statusLines(sampleStatus({ roster: { ...roster, ...more } })), 'roster')
    expect(words({ fromMs: NOW + HOUR })).toMatch(/begins in 1 h 0 min/)
    expect(words({ untilMs: NOW })).toMatch(/its reserve ends in 2 h 0 min$/)
    expect(words({ untilMs: NOW, reserveUntilMs: NOW })).toMatch(/expired$/)
    expect(row(statusLines(sampleStatus({ roster: undefined })), 'roster')).toMatch(/none is certified yet$/)
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
})
