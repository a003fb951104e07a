/**
 * Small files that a real app wrote, or that differ from such a file in one place. Each was read wrongly or refused as a whole
 * once. A file without a real model at hand was written from the published schema of its format.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { importFile, importStream, type LeftOutReason } from '../../src/importers/index.ts'

const CASES = new URL('./cases/', import.meta.url)

interface Read {
  /** `lat,lng time ±accuracy` of each fix. */
  fixes: string[]
  leftOut?: Partial<Record<LeftOutReason, number>>
  /** Line of the first entry that was left out. */
  line?: number
  assumedUtc?: number
  cutOff?: boolean
}
/** Line and reason of the refusal. */
type Refused = readonly [line: number, reason: RegExp]

const A = '48.1,11.5 2026-11-20T09:30:15.000Z'
const B = '48.2,11.6 2026-11-20T09:31:15.000Z'
const EARLY = '48.1,11.5 2026-11-20T09:15:00.000Z'
const at = (minute: number) => A.replace('09:30', `09:${minute}`)

const READ: Readonly<Record<string, Read>> = {
  'c01-date-time.csv': { fixes: ['48.1,11.5 2026-11-20T09:30:15.836Z'], assumedUtc: 1 },
  'c01b-unicsv.csv': { fixes: [A, B], assumedUtc: 2 },
  'c02-decimal-comma.csv': { fixes: [`${A} ±8`] },
  'c03-sensor-logger.csv': { fixes: ['48.1,11.5 2026-11-20T09:15:00.402Z ±64.5'] },
  'c04-opentracks.csv': { fixes: [`${A} ±64.5`] },
  'c06-acc-minus1.csv': { fixes: [`${A} ±5`, `${at(32)} ±5`], leftOut: { 'no-position': 1 }, line: 3 },
  'c07-commas-row.csv': { fixes: [A, at(31)] },
  'c09-utf16.csv': { fixes: [A] },
  'c10-sep.csv': { fixes: [A] },
  'c11-utc-word.csv': { fixes: [A] },
  'c13-ns-columns.csv': { fixes: ['-33.8,151.2 2026-11-20T09:30:15.000Z', '-33.8,-70.6 2026-11-20T09:31:15.000Z'] },
  'c16-no-fix-rows.csv': { fixes: [`${A} ±5`, `${at(32)} ±5`], leftOut: { 'no-position': 1 }, line: 3 },
  'c17-precision.csv': { fixes: [`${A} ±300`] },
  'c19-localtime-tzcol.csv': { fixes: ['48.1,11.5 2026-11-20T07:30:15.000Z'] },
  'c21-quotes-mid.csv': { fixes: [A] },
  'c22-header-semicolon-in-comma.csv': { fixes: [A] },
  'c25-compact-date.csv': { fixes: [A], assumedUtc: 1 },
  'g01-empty-time.gpx': { fixes: [A, B], leftOut: { 'no-time': 1 }, line: 5 },
  'g02-null-time.gpx': { fixes: [A, B], leftOut: { 'no-time': 1 }, line: 5 },
  'g03-leap-second.gpx': {
    fixes: ['2016-12-31T23:59:59', '2017-01-01T00:00:00', '2017-01-01T00:00:00'].map(
      (time) => `48.1,11.5 ${time}.000Z`,
    ),
  },
  'g04-year-0000.gpx': { fixes: [A, B], leftOut: { 'time-impossible': 1 }, line: 5 },
  'g07-utf16le.gpx': { fixes: [A, B] },
  'g08-leading-newline.gpx': { fixes: [A, B] },
  'g09-decimal-comma.gpx': { fixes: [A] },
  'g10-apple-hacc.gpx': { fixes: [`${A} ±65`], leftOut: { 'no-position': 1 }, line: 5 },
  'g12-accuracy.gpx': { fixes: [`${A} ±925.73`] },
  'g13-pause-marker.gpx': { fixes: [A, B], leftOut: { 'position-impossible': 1 }, line: 5 },
  'g20-truncated.gpx': { fixes: [A, B], cutOff: true },
  'g21-raw-amp.gpx': { fixes: [A, B] },
  'g28-comma-fraction.gpx': { fixes: ['48.1,11.5 2026-11-20T09:30:15.500Z'] },
  'g30-two-times.gpx': { fixes: [A, '48.15,11.55 2026-11-20T09:30:45.000Z', B] },
  'g35-zone-space.gpx': { fixes: [A] },
  'g37-null-island.gpx': { fixes: [A, B], leftOut: { 'position-zero': 1 }, line: 5 },
  'g39-neg-zero-dms.gpx': { fixes: [A] },
  'g40-nested-gpx-ext-time.gpx': { fixes: [A, B] },
  'j01-overland.json': { fixes: [`${A} ±5`] },
  'j02-owntracks.geojson': { fixes: [`${EARLY} ±65`] },
  'j02b-owntracks.json': { fixes: [`${EARLY} ±65`] },
  'j03-ogr2ogr.geojson': { fixes: [A] },
  'j04-upper.geojson': { fixes: [A] },
  'j06-activity-empty-start.json': { fixes: [A, at(45)], leftOut: { 'no-position': 1 }, line: 1 },
  'j06b-position-no-latlng.json': { fixes: [A], leftOut: { 'no-position': 1 }, line: 1 },
  'j06c-position-empty.json': { fixes: [A], leftOut: { 'no-position': 1 }, line: 1 },
  'j07-sci.json': { fixes: ['51.4778,-0.0005 2026-11-20T09:30:15.000Z'] },
  'j08-mojibake.json': { fixes: [A] },
  'j09b-utf16.json': { fixes: [A] },
  'j10-semantic-month.json': {
    fixes: [
      '48.1,11.5 2023-11-20T09:30:15.000Z',
      '48.15,11.55 2023-11-20T09:35:15.000Z ±12',
      '48.2,11.6 2023-11-20T09:45:15.000Z',
    ],
  },
  'j12-e7-corrupt.json': { fixes: [`${EARLY} ±5`], leftOut: { 'position-impossible': 1 }, line: 1 },
  'j12c-lat-only.json': { fixes: [EARLY], leftOut: { 'no-position': 1 }, line: 1 },
  'j13-times-short.geojson': { fixes: [at(33)], leftOut: { malformed: 1 }, line: 1 },
  'j14-ndjson.json': { fixes: [A, at(31), at(32)] },
  'j15-array-of-features.json': { fixes: [A] },
  'j17-nan.geojson': { fixes: [A] },
  'j18-null-coord.geojson': { fixes: [A], leftOut: { 'no-position': 1 }, line: 1 },
  'j19-empty-time.geojson': { fixes: [A], leftOut: { 'no-time': 1 }, line: 1 },
  'j22-acc.geojson': { fixes: [`${A} ±850`] },
  'j29-points-list.json': { fixes: [EARLY] },
  'p01-bom.plt': { fixes: ['48.1,11.5 2008-10-23T02:53:04.000Z'] },
}

const REFUSED: Readonly<Record<string, Refused>> = {
  'c20-12h.csv': [2, /which number is the day.*export times as in/],
  'c23-lat-swapped-dms.csv': [2, /not a number of degrees.*decimal degrees/],
  'c24-excel-date.csv': [2, /the date of a spreadsheet.*export times as in/],
  'g15-feb30.gpx': [4, /names a day that no calendar has.*export times as in/],
  'j16-4d.geojson': [1, /no list of times.*export the track with times/],
  'k05.gpx': [0, /a ZIP archive.*unpack/],
  'k06.json': [0, /gzip.*unpack/],
  'p02-ozi.plt': [1, /OziExplorer.*GPX/],
}

const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(name, CASES)))

async function read(name: string) {
  const { fixes, receipt } = await importFile(name, bytesOf(name))
  const texts = fixes.map(({ lat, lng, at: ms, accuracyM }) => {
    const accuracy = accuracyM === undefined ? '' : ` ±${accuracyM}`
    return `${lat},${lng} ${new Date(ms).toISOString()}${accuracy}`
  })
  return { texts, receipt }
}

describe('the case files', () => {
  it.each(Object.entries(READ))('the importer reads %s and accounts for every entry', async (name, want) => {
    const { texts, receipt } = await read(name)
    const { leftOut = {}, line, assumedUtc = 0, cutOff = false } = want
    expect(texts).toEqual(want.fixes)
    expect(receipt).toMatchObject({ kept: want.fixes.length, leftOut, assumedUtc, cutOff })
    expect(receipt.entries).toBe(receipt.kept + Object.values(leftOut).reduce((sum, n) => sum + n, 0))
    expect(receipt.first.map((item) => item.line)).toEqual(line === undefined ? [] : [line])
  })

  it.each(Object.entries(REFUSED))(
    'the importer refuses %s and names file, line, cause and next step',
    async (name, [line, reason]) => {
      const data = expect.objectContaining({ file: name, line, reason: expect.stringMatching(reason) })
      await expect(read(name)).rejects.toMatchObject({ code: 'IMPORT_INVALID', data })
      await expect(read(name)).rejects.toThrow(line > 0 ? `${name}, line ${line}: ` : `${name}: `)
    },
  )

  it('every file among the cases has an expectation', () => {
    const files = readdirSync(CASES, { withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.map(({ name }) => name).sort()).toEqual([...Object.keys(READ), ...Object.keys(REFUSED)].sort())
  })

  it('a stream of single bytes gives the same fixes and the same receipt as the whole file', async () => {
    for (const name of Object.keys(READ)) {
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of bytesOf(name)) controller.enqueue(Uint8Array.of(byte))
          controller.close()
        },
      })
      expect(await importStream(name, stream)).toEqual(await importFile(name, bytesOf(name)))
    }
  })

  it('files whose accuracies are all worse than 10 m give every fix with its accuracy', async () => {
    for (const [name, accuracyM] of [
      ['anna', 925.7],
      ['ben', 850],
    ] as const) {
      const { fixes } = await importFile(`${name}.gpx`, bytesOf(`replay-accuracy/${name}.gpx`))
      expect(fixes.map((fix) => fix.accuracyM)).toEqual(Array(12).fill(accuracyM))
    }
  })
})
