import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { importFile, importStream, isTrackFile } from '../../src/importers/index.ts'
import { fakeFederation, openTracer } from '../../src/testing/index.ts'
import { diaryOf } from '../fixture.ts'
import { expectRefusal, inChunks, refusal, TIME } from './reading.ts'

const repository = resolve(fileURLToPath(import.meta.url), '../../../..')
/** Real tracks lie beside the repository and are never copied into it. */
const TRACES = resolve(repository, '..', 'shared', 'traces')

const encode = (text: string) => new TextEncoder().encode(text)

describe('importFile', () => {
  it('the ending of the name chooses the reader, in any case of letters', async () => {
    expect(isTrackFile('/some/dir.d/walk.GPX')).toBe(true)
    expect(isTrackFile('walk.jpg')).toBe(false)
    expect(isTrackFile('constructor')).toBe(false)
    expect((await importFile('A.CSV', 'lat,lng,time\n1,2,1548446440\n')).fixes.length).toBe(1)
    for (const name of ['a.gpx', 'a.json', 'a.fit']) await expectRefusal(name, '', 0, /empty/)
    for (const name of ['a.gpx', 'a.json']) await expectRefusal(name, ' \n'.repeat(20), 0, /empty/)
    await expectRefusal('a.jpg', '<kml/>', 0, /understood/)
    await expectRefusal('constructor', 'x', 0, /understood/)
  })

  it('the event loop gets turns while a long file is read', async () => {
    let turns = 0
    let open = true
    const count = () => {
      turns++
      if (open) setImmediate(count)
    }
    setImmediate(count)
    const point = `<trkpt lat="1" lon="2"><time>${TIME}</time></trkpt>\n`
    const { receipt } = await importFile('a.gpx', `<gpx><trk><trkseg>${point.repeat(5_000)}</trkseg></trk></gpx>`)
    open = false
    expect(receipt.kept).toBe(5_000)
    // A turn comes after 500 points at the latest.
    expect(turns).toBeGreaterThanOrEqual(9)
  })

  it('the same file twice changes nothing in the diary', async () => {
    const federation = await fakeFederation()
    const tracer = await openTracer(federation)
    const now = federation.clock.now()
    const rows = Array.from({ length: 60 }, (_, i) => `52.5200,13.4050,${now - (59 - i) * 60_000},${5 + (i % 4)}`)
    const { fixes, receipt } = await importFile('a.csv', `lat,lng,time,accuracy\n${rows.join('\n')}\n`)
    expect(receipt).toMatchObject({ entries: 60, kept: 60 })
    const record = async () => {
      let taken = 0
      for (const fix of fixes) if ((await tracer.record(fix, { imported: true })).accepted) taken++
      return taken
    }
    expect(await record()).toBeGreaterThan(0)
    const diary = await diaryOf(tracer)
    expect(await record()).toBe(0)
    expect(await diaryOf(tracer)).toEqual(diary)
    await tracer.close()
  })
})

describe('importStream', () => {
  const position = fc.record({
    // A position of 0, 0 is left out.
    lat: fc.integer({ min: 1, max: 90e7 }).chain((lat) => fc.constantFrom(lat, -lat)),
    lng: fc.integer({ min: -180e7, max: 180e7 }),
    at: fc.integer({ min: 1_000_000_000_000, max: 1_800_000_000_000 }),
    accuracyM: fc.integer({ min: 0, max: 3000 }),
  })

  it('a stream gives the same fixes for every chunk size, oldest first, none from before `since`', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(position, { minLength: 1, maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (positions, sizes, pretty) => {
          const locations = positions.map(({ lat, lng, accuracyM, at: ms }) => ({
            latitudeE7: lat,
            longitudeE7: lng,
            accuracy: accuracyM,
            timestamp: new Date(ms).toISOString(),
            source: 'WIFI „ü“',
          }))
          const since = positions[0]!.at
          const want = positions
            .map(({ lat, lng, at: ms, accuracyM }) => ({
              lat: lat / 1e7,
              lng: lng / 1e7,
              ...(accuracyM > 0 && { accuracyM }),
              at: ms,
            }))
            .filter((fix) => fix.at >= since)
            .sort((a, b) => a.at - b.at)
          const text = `\uFEFF${JSON.stringify({ locations }, null, pretty ? 2 : undefined)}`
          const { fixes } = await importStream('Records.json', inChunks(encode(text), sizes), { since })
          expect(fixes).toEqual(want)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('a mistake in a stream has the same line for every chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        async (before, sizes) => {
          const good = '{"latitudeE7": 1, "longitudeE7": 2, "timestampMs": "1732095015000"},\n'
          const text = `{"locations": [\n${good.repeat(before)}{"latitudeE7": !`
          await expect(importStream('a.json', inChunks(encode(text), sizes))).rejects.toMatchObject(
            refusal(before + 2, /not JSON/),
          )
        },
      ),
      { numRuns: 40 },
    )
  })

  it('a stream of any kind reports progress, and its signal aborts it', async () => {
    const text = '\uFEFFtime,lat,lng\n1548446441,1,2\n1548446440,3,4\n'
    const seen: number[] = []
    const { fixes } = await importStream('a.csv', inChunks(encode(text), [7]), {
      onProgress: (bytes) => seen.push(bytes),
    })
    expect(fixes.map((fix) => fix.lat)).toEqual([3, 1])
    expect(seen.at(-1)).toBe(new TextEncoder().encode(text).length)
    const controller = new AbortController()
    const endless = new ReadableStream<Uint8Array>({
      pull(source) {
        source.enqueue(new TextEncoder().encode(' '))
        controller.abort()
      },
    })
    await expect(importStream('a.json', endless, { signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    await expect(importStream('a.json', inChunks(encode(''), [1]))).rejects.toMatchObject(refusal(0, /empty/))
    await expect(importStream('a.jpg', inChunks(encode('x'), [1]))).rejects.toMatchObject(refusal(0, /understood/))
  })
})

describe.skipIf(!existsSync(TRACES))(
  `real tracks${existsSync(TRACES) ? '' : ' (SKIPPED: no shared/traces beside the repository)'}`,
  () => {
    it('tracks of eleven people of Geolife, two hikes and one table are read whole', async () => {
      const geolife = join(TRACES, 'geolife')
      let fixes = 0
      for (const person of readdirSync(geolife)) {
        const dir = join(geolife, person, 'Trajectory')
        for (const name of readdirSync(dir)) {
          const { receipt } = await importFile(name, readFileSync(join(dir, name)))
          expect(receipt.leftOut).toEqual({})
          fixes += receipt.kept
        }
      }
      expect(fixes).toBe(164_531)
      const read = async (path: string) => (await importFile(path, readFileSync(join(TRACES, path)))).fixes
      expect((await read('gpx/cerknicko-jezero.gpx')).length).toBe(296)
      expect((await read('gpx/korita-zbevnica.gpx')).length).toBe(513)
      const table = await read('csv/posmo_trajectory.csv')
      expect(table.length).toBe(1_327)
      expect(table[0]).toEqual({ lat: 47.0516249, lng: 7.0389004, at: Date.UTC(2019, 0, 25, 20, 0, 16, 178) })
      expect(table.some((fix) => fix.accuracyM === 48)).toBe(true)
    })
  },
)
