import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { run } from '../cli/captured.ts'
import { expectThoseWhoMet003, GEOLIFE, geotrace, hasTraces, TRACES } from './replays.ts'

/** Real people under threshold salting take a minute of CPU, so the slow suite replays them. */
const PLAIN = ['--salting', 'plain']
const dir = mkdtempSync(join(tmpdir(), 'geotrace-replay-test-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe.skipIf(!hasTraces)('a replay of real people', () => {
  // The slow suite replays all eleven people.
  it('when 003 of the Geolife people reports, the replay marks 004 and 005, and not 000', {
    timeout: 400_000,
  }, async () => {
    const people = join(dir, 'geolife')
    mkdirSync(people)
    for (const id of ['000', '003', '004', '005']) symlinkSync(join(GEOLIFE, id), join(people, id))
    const { code, stdout } = await geotrace('replay', people, '--report', '003', '--no-redaction', '--json', ...PLAIN)
    expect(code).toBe(0)
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({ reporter: '003', degrees: 1, people: 4, fixes: 837, riskHashes: 23885 })
    expect(result.saltRequests).toBeGreaterThan(120)
    expectThoseWhoMet003(result.marked)
  })

  it('a replay reads GPX hikes with redaction, and a CSV track with an accuracy column', {
    timeout: 200_000,
  }, async () => {
    const hikes = await geotrace('replay', join(TRACES, 'gpx'), '--report', 'korita-zbevnica', '--json', ...PLAIN)
    expect(hikes).toMatchObject({ code: 0 })
    expect(JSON.parse(hikes.stdout)).toMatchObject({ people: 2, marked: [] })
    const posmo = await geotrace(
      'replay',
      join(TRACES, 'csv', 'posmo_trajectory.csv'),
      '--report',
      'posmo_trajectory',
      '--no-redaction',
      '--json',
      ...PLAIN,
    )
    expect(posmo).toMatchObject({ code: 0 })
    const result = JSON.parse(posmo.stdout)
    expect(result).toMatchObject({ people: 1, marked: [] })
    // 149 of 1,327 fixes have an unknown accuracy, the others are worse than 10 m. The 149 lie in ten 5-minute blocks.
    expect(result.fixes).toBe(10)
  })
})

describe('a replay', () => {
  const track = (name: string, rows: string[]) => {
    const path = join(dir, name)
    mkdirSync(resolve(path, '..'), { recursive: true })
    writeFileSync(path, ['lat,lng,time', ...rows].join('\n'))
    return path
  }
  const stay = (lat: number, from: string, minutes: number) =>
    Array.from(
      { length: minutes / 5 },
      (_, i) => `${lat},10.0,${new Date(Date.parse(from) + i * 300_000).toISOString()}`,
    )

  it('a replay marks a person who came after the reporter, and not a person who had left before', {
    timeout: 120_000,
  }, async () => {
    track('people/source.csv', stay(50, '2026-03-02T10:00:00Z', 40))
    track('people/together.csv', stay(50, '2026-03-02T10:20:00Z', 30))
    track('people/after.csv', stay(50, '2026-03-02T10:40:00Z', 5))
    track('people/before.csv', stay(50, '2026-03-02T08:00:00Z', 30))
    track('people/elsewhere.csv', stay(50.001, '2026-03-02T10:00:00Z', 40))
    const { code, stdout } = await geotrace(
      'replay',
      join(dir, 'people'),
      '--report',
      'source',
      '--no-redaction',
      '--json',
    )
    expect(code).toBe(0)
    // Without --salting three of five replicas evaluate each cell.
    expect(JSON.parse(stdout).evaluations).toBeGreaterThan(0)
    const marked = JSON.parse(stdout).marked as { id: string; same: number; trail: number }[]
    expect(marked.map(({ id }) => id)).toEqual(['after', 'together'])
    expect(marked.find(({ id }) => id === 'after')!.trail).toBeGreaterThan(0)
    expect(marked.find(({ id }) => id === 'together')!.same).toBeGreaterThan(0)
  })

  it('replay refuses unusable tracks and options with a sentence and exit code 2', async () => {
    const empty = join(dir, 'empty')
    mkdirSync(empty, { recursive: true })
    const good = track('good.csv', stay(50, '2026-03-02T10:00:00Z', 10))
    const long = track('long.csv', ['50,10,2008-03-02T10:00:00Z', '50,10,2020-03-02T10:00:00Z'])
    const cases: [RegExp, number, string[]][] = [
      [/at most 3600 days, got 4386 days/, 2, [long, '--report', 'long']],
      [/expected \.gpx, .* or \.plt files in .*, got none/, 2, [empty, '--report', 'x']],
      [/no file or folder at .*nowhere/, 2, [join(dir, 'nowhere'), '--report', 'x']],
      [/no person named x in the tracks\n {2}→ name one of: good/, 2, [good, '--report', 'x']],
      [/required option '--report/, 2, [good]],
      [
        /--threshold belongs to the salting threshold/,
        2,
        [good, '--report', 'good', '--salting', 'plain', '--threshold', '2'],
      ],
      [/--threshold.*1 to 3/s, 2, [good, '--report', 'good', '--threshold', '4']],
      [/--at expected a time/, 2, [good, '--report', 'good', '--at', 'noon']],
    ]
    const files: [RegExp, string, string][] = [
      [/empty/, 'void.gpx', ''],
      [/time/, 'timeless.gpx', '<gpx><trk><trkseg><trkpt lat="1" lon="2"/></trkseg></trk></gpx>'],
      [/broken\.csv, line 2: /, 'broken.csv', 'lat,lng,time\nnorth,2,2026-01-01T00:00:00Z\n'],
    ]
    for (const [pattern, name, text] of files) {
      writeFileSync(join(dir, name), text)
      cases.push([pattern, 2, [join(dir, name), '--report', name.split('.')[0]!]])
    }
    for (const [pattern, status, args] of cases) {
      const { code, stderr, stdout } = await run('replay', ...args)
      expect(stderr.join('\n')).toMatch(pattern)
      expect(code).toBe(status)
      expect(stdout).toEqual([])
    }
  })
})
