import { describe, expect, it } from 'vitest'
import { importFile } from '../../src/importers/index.ts'
import { AT as at, refusal, TIME } from './reading.ts'

function toUtf16(text: string, littleEndian: boolean, mark: boolean): Uint8Array {
  const units = [...(mark ? '\uFEFF' : ''), ...text].map((character) => character.charCodeAt(0))
  const view = new DataView(new ArrayBuffer(units.length * 2))
  for (const [i, unit] of units.entries()) view.setUint16(i * 2, unit, littleEndian)
  return new Uint8Array(view.buffer)
}

describe('the first bytes of a file', () => {
  const files = {
    'a.gpx': `<?xml version="1.0"?><gpx><trk><trkseg><trkpt lat="48.1" lon="11.5"><time>${TIME}</time></trkpt></trkseg></trk></gpx>`,
    'a.csv': `lat;lng;time;note\n48,1;11,5;${TIME};ü`,
    'a.json': JSON.stringify([{ lat: 48.1, lon: 11.5, tst: at, note: 'ü' }]),
  }

  it('a file in UTF-8 or UTF-16, of either order, with and without a byte order mark, gives its fixes', async () => {
    for (const [name, text] of Object.entries(files)) {
      for (const mark of [true, false]) {
        const utf8 = new TextEncoder().encode(mark ? `\uFEFF${text}` : text)
        for (const bytes of [utf8, toUtf16(text, true, mark), toUtf16(text, false, mark)]) {
          expect((await importFile(name, bytes)).fixes).toEqual([{ lat: 48.1, lng: 11.5, at }])
        }
      }
    }
  })

  it('a file that is no track is named as what it is', async () => {
    const cases: [string, RegExp][] = [
      ['PK\x03\x04zip', /ZIP archive/],
      ['\x1f\x8b\x08\0', /gzip/],
      ['%PDF-1.7', /PDF/],
      ['SQLite format 3\0', /SQLite/],
      ['\x01\x02\0\0\0', /no text/],
    ]
    for (const [text, reason] of cases) {
      const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
      const error = await importFile('a.json', bytes).catch((cause: unknown) => cause)
      expect(error).toMatchObject(refusal(0, reason))
      expect(error).toMatchObject({ data: { file: 'a.json', noTrack: true } })
    }
  })
})
