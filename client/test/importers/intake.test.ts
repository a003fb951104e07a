import { afterEach, describe, expect, it, vi } from 'vitest'
import { importFile } from '../../src/importers/index.ts'
import { Intake } from '../../src/importers/intake.ts'
import { offsetToLine } from '../../src/importers/line.ts'
import { refusal, TIME } from './reading.ts'

vi.mock('../../src/importers/line.ts', async (original) => {
  const { offsetToLine: real } = await original<typeof import('../../src/importers/line.ts')>()
  return { offsetToLine: vi.fn(real) }
})
afterEach(() => vi.mocked(offsetToLine).mockClear())

const GOOD = { lat: '1', lng: '2', time: TIME }
const intake = (since = Number.NEGATIVE_INFINITY) => new Intake({ file: 'a.csv', since })

describe('the intake of a file', () => {
  it('a line is computed for the first entry of each reason only', () => {
    const line = vi.fn(() => 7)
    const taken = intake()
    for (let i = 0; i < 1000; i++) {
      taken.take({ line }, () => GOOD)
      taken.take({ line }, () => ({ ...GOOD, time: '' }))
      if (i % 2 === 0) taken.take({ line }, () => ({ ...GOOD, lat: 'x' }))
    }
    expect(line).toHaveBeenCalledTimes(2)
    const { receipt } = taken.finish('')
    expect(receipt).toMatchObject({
      entries: 2500,
      kept: 1000,
      leftOut: { 'no-time': 1000, 'position-unreadable': 500 },
    })
    expect(receipt.first.map(({ reason }) => reason)).toEqual(['no-time', 'position-unreadable'])
  })

  it('a GPX file without faults needs no line, and a file with many faults of one kind needs one', async () => {
    const point = (time: string) => `<trkpt lat="1" lon="2"><time>${time}</time></trkpt>\n`
    const gpx = (points: string) => `<gpx><trk><trkseg>\n${points}</trkseg></trk></gpx>`
    await importFile('a.gpx', gpx(point(TIME).repeat(500)))
    expect(offsetToLine).toHaveBeenCalledTimes(0)
    await importFile('a.gpx', gpx(point(TIME).repeat(500) + point('soon').repeat(400)))
    expect(offsetToLine).toHaveBeenCalledTimes(1)
  })

  it('fixes older than `since` are counted, and a file with nothing newer is no mistake', () => {
    const taken = intake(Number.POSITIVE_INFINITY)
    taken.take({ line: () => 1 }, () => GOOD)
    expect(taken.finish('')).toMatchObject({ fixes: [], receipt: { entries: 1, kept: 0, leftOut: { 'too-old': 1 } } })
  })

  it('half of the entries may be wrong, but not more', () => {
    const mixed = (wrong: number) => {
      const taken = intake()
      for (const lat of ['1', '2', ...Array<string>(wrong).fill('x')])
        taken.take({ line: () => 3 }, () => ({ ...GOOD, lat }))
      return taken
    }
    expect(mixed(2).finish('').receipt.kept).toBe(2)
    expect(() => mixed(3).finish('')).toThrow(expect.objectContaining(refusal(3, /"x".*2 more.*2 of 5 entries/)))
  })

  it('a file without an entry is refused with what it lacks', () => {
    expect(() => intake().finish('no track')).toThrow(expect.objectContaining(refusal(0, /^no track$/)))
  })

  it('a mistake of the program is no entry that is left out', () => {
    const fault = () => {
      throw new TypeError('fault')
    }
    expect(() => intake().take({ line: () => 1 }, fault)).toThrow(TypeError)
  })
})
