import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { importFile, importStream, isTrackFile } from '../../src/importers/index.ts'

const repository = resolve(fileURLToPath(import.meta.url), '../../../..')
/** Real tracks lie beside the repository and are never copied into it. */
const TRACES = resolve(repository, '..', 'shared', 'traces')
const at = Date.UTC(2026, 10, 20, 9, 30, 15)
const invalid = (line: number, reason: RegExp) =>
  expect.objectContaining({ code: 'IMPORT_INVALID', data: { line, reason: expect.stringMatching(reason) } })
const feature = (geometry: unknown, properties: unknown) => ({ type: 'Feature', geometry, properties })
const point = (lng: number, lat: number) => ({ type: 'Point', coordinates: [lng, lat, 33.5] })

/** A file as a stream of chunks of the given sizes, repeated. */
function inChunks(text: string, sizes: readonly number[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  let [from, turn] = [0, 0]
  return new ReadableStream({
    pull(controller) {
      if (from >= bytes.length) return controller.close()
      const to = from + sizes[turn++ % sizes.length]!
      controller.enqueue(bytes.subarray(from, to))
      from = to
    },
  })
}

describe('importFile', () => {
  it('the ending of the name chooses the reader, in any case of letters', () => {
    expect(isTrackFile('/some/dir.d/walk.GPX')).toBe(true)
    expect(isTrackFile('walk.jpg')).toBe(false)
    expect(isTrackFile('constructor')).toBe(false)
    expect(importFile('A.CSV', 'lat,lng,time\n1,2,1548446440\n').length).toBe(1)
    expect(() => importFile('a.gpx', ' \n')).toThrow(invalid(0, /empty/))
    expect(() => importFile('a.kml', '<kml/>')).toThrow(invalid(0, /understood/))
    expect(() => importFile('constructor', 'x')).toThrow(invalid(0, /understood/))
  })
})

describe('importStream', () => {
  const position = fc.record({
    lat: fc.integer({ min: -90e7, max: 90e7 }),
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
          expect(await importStream('Records.json', inChunks(text, sizes), { since })).toEqual(want)
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
          await expect(importStream('a.json', inChunks(text, sizes))).rejects.toThrow(invalid(before + 2, /not JSON/))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('a stream of any kind reports progress, and its signal aborts it', async () => {
    const text = '\uFEFFtime,lat,lng\n1548446441,1,2\n1548446440,3,4\n'
    const seen: number[] = []
    const fixes = await importStream('a.csv', inChunks(text, [7]), { onProgress: (bytes) => seen.push(bytes) })
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
    await expect(importStream('a.json', inChunks('', [1]))).rejects.toThrow(invalid(0, /empty/))
    await expect(importStream('a.kml', inChunks('x', [1]))).rejects.toThrow(invalid(0, /understood/))
  })

  it('the contents of a file named .json or .geojson decide how it is read', () => {
    expect(importFile('walk.geojson', JSON.stringify(feature(point(1, 2), { time: at }))).length).toBe(1)
    expect(importFile('\uFEFF.json', `\uFEFF${JSON.stringify(feature(point(1, 2), { time: at }))}`).length).toBe(1)
  })
})

describe.skipIf(!existsSync(TRACES))(
  `real tracks${existsSync(TRACES) ? '' : ' (SKIPPED: no shared/traces beside the repository)'}`,
  () => {
    it('tracks of eleven people of Geolife, two hikes and one table are read whole', () => {
      const geolife = join(TRACES, 'geolife')
      let fixes = 0
      for (const person of readdirSync(geolife)) {
        const dir = join(geolife, person, 'Trajectory')
        for (const name of readdirSync(dir)) fixes += importFile(name, readFileSync(join(dir, name), 'utf8')).length
      }
      expect(fixes).toBe(164_531)
      const read = (path: string) => importFile(path, readFileSync(join(TRACES, path), 'utf8'))
      expect(read('gpx/cerknicko-jezero.gpx').length).toBe(296)
      expect(read('gpx/korita-zbevnica.gpx').length).toBe(513)
      const table = read('csv/posmo_trajectory.csv')
      expect(table.length).toBe(1_327)
      expect(table[0]).toEqual({ lat: 47.0516249, lng: 7.0389004, at: Date.UTC(2019, 0, 25, 20, 0, 16, 178) })
      expect(table.some((fix) => fix.accuracyM === 48)).toBe(true)
    })
  },
)
