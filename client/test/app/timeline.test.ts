/** A day of the diary as stays, ways and gaps. */
import type { Absence, AbsenceCause, DiaryEntry } from '@geotrace/client'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BLOCK_MS, nextMidnight, toMidnights, toTimeline } from '../../app/src/day/timeline.ts'

const MIDNIGHT = new Date(2026, 10, 29).getTime()
const DAY = { from: MIDNIGHT, until: nextMidnight(MIDNIGHT) }
const CAFE = { lat: 52.52, lng: 13.405 }
/** About 1.1 km north. */
const WORK = { ...CAFE, lat: CAFE.lat + 0.01 }
const at = (hour: number, minute = 0) => MIDNIGHT + (hour * 60 + minute) * 60_000

function entry(place: { lat: number; lng: number }, ms: number): DiaryEntry {
  return { ...place, at: ms + 60_000, state: 'deposited' }
}
function stay(place: { lat: number; lng: number }, from: number, until: number): DiaryEntry[] {
  return Array.from({ length: (until - from) / BLOCK_MS }, (_, i) => entry(place, from + i * BLOCK_MS))
}
function show(entries: DiaryEntry[], absences: Absence[] = [], beganMs = MIDNIGHT, until = at(12)): string[] {
  const two = (n: number) => String(n).padStart(2, '0')
  const clock = (ms: number) =>
    `${two(Math.floor((ms - MIDNIGHT) / 3_600_000))}:${two(((ms - MIDNIGHT) / 60_000) % 60)}`
  return toTimeline({ from: MIDNIGHT, until }, entries, absences, beganMs).map(
    (item) => `${clock(item.from)}-${clock(item.until)} ${item.kind === 'gap' ? item.cause : item.kind}`,
  )
}
const absence = (from: number, until: number, cause: AbsenceCause): Absence => ({ from, until, cause })

describe('a day of the diary', () => {
  it('fixes near one place are a stay, lone fixes between two places a way, and a lone fix a stay', () => {
    const between = (part: number) => ({ ...CAFE, lat: CAFE.lat + 0.01 * part })
    const entries = [
      ...stay(CAFE, at(8), at(9)),
      entry(between(0.3), at(9)),
      entry(between(0.7), at(9, 5)),
      ...stay(WORK, at(9, 10), at(10)),
      entry(CAFE, at(11)),
    ]
    expect(show(entries)).toEqual([
      '00:00-08:00 none',
      '08:00-09:00 stay',
      '09:00-09:10 way',
      '09:10-10:00 stay',
      '10:00-11:00 none',
      '11:00-11:05 stay',
      '11:05-12:00 none',
    ])
  })

  it('ten minutes without a good position do not end a stay, and fifteen do', () => {
    const with10 = [...stay(CAFE, at(8), at(9)), ...stay(CAFE, at(9, 10), at(10))]
    expect(show(with10)).toContain('08:00-10:00 stay')
    expect(show(with10, [absence(at(9), at(9, 10), 'inaccurate')])).toContain('08:00-10:00 stay')
    const with15 = [...stay(CAFE, at(8), at(9)), ...stay(CAFE, at(9, 15), at(10))]
    expect(show(with15)).toContain('09:00-09:15 none')
  })

  it('a pause, home and a zone end a stay, and each gap states its cause', () => {
    const entries = [...stay(CAFE, at(8), at(9)), ...stay(CAFE, at(9, 5), at(10))]
    const causes = [
      absence(at(2), at(8), 'home'),
      absence(at(9), at(9, 5), 'paused'),
      absence(at(10), at(11), 'zone'),
      absence(at(11), at(11, 30), 'denied'),
    ]
    expect(show(entries, causes, at(2))).toEqual([
      '00:00-02:00 before',
      '02:00-06:00 night',
      '06:00-08:00 home',
      '08:00-09:00 stay',
      '09:00-09:05 paused',
      '09:05-10:00 stay',
      '10:00-11:00 zone',
      '11:00-11:30 denied',
      '11:30-12:00 none',
    ])
  })

  it('a stay lies in the middle of its fixes, also across the 180th meridian', () => {
    const [left, right] = [179.9998, -179.9998].map((lng) => ({ lat: 0, lng }))
    const entries = [entry(left!, at(1)), entry(right!, at(1, 5))]
    const [, item] = toTimeline(DAY, entries, [], MIDNIGHT)
    expect(item).toMatchObject({ kind: 'stay', lat: 0 })
    expect(item?.kind === 'stay' && Math.abs(Math.abs(item.lng) - 180)).toBeLessThan(1e-9)
  })

  it('any fixes and causes give a day without holes and overlaps, with each fix in one item', () => {
    const blocks = fc.uniqueArray(fc.integer({ min: 0, max: 287 }), { maxLength: 80 })
    const place = fc.constantFrom(CAFE, WORK, { ...CAFE, lng: 13.5 }, { ...CAFE, lat: CAFE.lat + 0.0004 })
    const gap = fc.record({
      from: fc.integer({ min: 0, max: 280 }),
      length: fc.integer({ min: 1, max: 60 }),
      cause: fc.constantFrom<AbsenceCause>('paused', 'home', 'inaccurate', 'zone'),
    })
    fc.assert(
      fc.property(blocks, fc.array(place, { minLength: 80, maxLength: 80 }), fc.array(gap), (chosen, places, gaps) => {
        const entries = [...chosen].sort((a, b) => a - b).map((n, i) => entry(places[i]!, MIDNIGHT + n * BLOCK_MS))
        const absences = gaps.map(({ from, length, cause }) =>
          absence(MIDNIGHT + from * BLOCK_MS, MIDNIGHT + (from + length) * BLOCK_MS, cause),
        )
        const items = toTimeline(DAY, entries, absences, MIDNIGHT)
        expect(items[0]?.from).toBe(DAY.from)
        expect(items.at(-1)?.until).toBe(DAY.until)
        for (const [i, item] of items.entries()) {
          expect(item.until).toBeGreaterThan(item.from)
          if (i > 0) expect(item.from).toBe(items[i - 1]!.until)
          if (item.kind === 'gap') continue
          for (const fix of item.fixes) expect(fix.at >= item.from && fix.at < item.until).toBe(true)
        }
        expect(items.flatMap((item) => (item.kind === 'gap' ? [] : item.fixes))).toEqual(entries)
      }),
    )
  })

  it('the last fourteen midnights are the local days up to today', () => {
    const midnights = toMidnights(at(15), 14)
    expect(midnights).toHaveLength(14)
    expect(midnights.at(-1)).toBe(MIDNIGHT)
    expect(midnights.map((midnight) => new Date(midnight).getHours())).toEqual(Array(14).fill(0))
    for (const [i, midnight] of midnights.slice(1).entries()) expect(nextMidnight(midnights[i]!)).toBe(midnight)
  })
})
