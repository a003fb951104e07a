/** The texts of the app and of the client in both languages: complete, plain, and formatted by the rules of the language. */
import { english, errorToWords, numbers } from '@geotrace/client/words'
import { german } from '@geotrace/client/words/de'
import { FederationError } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { de } from '../../app/src/text/de.ts'
import { later as laterGerman } from '../../app/src/text/de-later.ts'
import { first } from '../../app/src/text/en.ts'
import { later as laterEnglish } from '../../app/src/text/en-later.ts'

const [en, ger] = [numbers('en-GB'), numbers('de')]
const ENGLISH = { words: english(en), first: first(en), later: laterEnglish(en) }
const GERMAN = { words: german(ger), first: de.first(ger), later: laterGerman(ger) }
/** The views that explain the protocol, and the lab's switch on the map. */
const EXPERT = /^(later\.(privacy|frames|lab)|first\.lab)\./
/** Equal in both languages: names, punctuation, and words that German took over. */
const SAME = [
  'later.refused',
  'first.status.title',
  'first.lab.regionTitle',
  'later.exposures.day',
  'later.transfer.left',
  'later.settings.radius',
  'later.privacy.answer',
  'later.privacy.bytes',
  'later.lab.saltsTable',
  'later.lab.block',
]

/** Every text of a catalogue by its path. A function's text is its source, which holds the words of all cases. */
function textsOf(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value === 'function') return [[path, String(value)]]
  return Object.entries(value as object).flatMap(([key, item]) => textsOf(item, path === '' ? key : `${path}.${key}`))
}
const [english_, german_] = [new Map(textsOf(ENGLISH)), new Map(textsOf(GERMAN))]

describe('the catalogue', () => {
  it('both languages have the same texts, and no German text was left in English', () => {
    expect([...german_.keys()].sort()).toEqual([...english_.keys()].sort())
    const left = [...german_].filter(([path, text]) => english_.get(path) === text)
    expect(left.map(([path]) => path).sort()).toEqual([...SAME].sort())
    expect(german_.size).toBeGreaterThan(400)
  })

  it('the words of experts stand in Privacy and in the lab only', () => {
    const expert = /\b(shards?|generation|redact\w*|profile seed|seed|epochs?|roster|Anteil|Epochen?)\b/i
    const found = [...english_, ...german_].filter(([path, text]) => {
      // The source of a function has its arguments and calls too, which nobody reads.
      const shown = text.includes('=>')
        ? [...text.matchAll(/['`]([^'`]*)['`]/g)].map(([, part]) => part).join(' ')
        : text
      return expert.test(shown.replaceAll(/\$\{[^}]*\}/g, '')) && !EXPERT.test(path)
    })
    expect(found.map(([path]) => path)).toEqual([])
  })

  it('plurals, dates, spans and units follow the language', () => {
    expect(ENGLISH.later.diary.positions(1)).toBe('1 position')
    expect(GERMAN.later.diary.positions(1_200)).toBe('1.200 Positionen')
    const noon = new Date(2026, 10, 29, 12).getTime()
    expect(en.day(noon)).toMatch(/^Sunday,? 29 November$/)
    expect(ger.day(noon)).toBe('Sonntag, 29. November')
    expect(en.span(80 * 60_000)).toBe('1 hour 20 minutes')
    expect(ger.span(120 * 60_000)).toBe('2 Stunden')
    expect(en.relative(noon, noon + 3 * 60_000)).toBe('3 minutes ago')
    expect(ger.relative(noon + 2 * 3_600_000, noon)).toBe('in 2 Stunden')
    expect([ger.kilometres(1.25), ger.metres(200), ger.bytes(1_536)]).toEqual(['1,3 km', '200 m', '1,5 kB'])
    const three = { one: '#st', two: '#nd', other: '#th' }
    expect(numbers('cy').count(2, three)).toBe('2nd')
    expect(en.count(2, three)).toBe('2th')
  })

  it('an error is a sentence of its language, and a file error names the file and the line', () => {
    const gone = new FederationError('PEER_UNREACHABLE', 'cut', { tried: 1 })
    expect(errorToWords(GERMAN.words, gone)).toBe(GERMAN.words.errors.PEER_UNREACHABLE)
    const file = new FederationError('IMPORT_INVALID', 'x', { file: 'a.gpx', line: 3, reason: 'no time' })
    expect(errorToWords(ENGLISH.words, file)).toBe('a.gpx, line 3: no time.')
    expect(errorToWords(GERMAN.words, file)).toBe('a.gpx, Zeile 3: no time.')
    const rare = new FederationError('MESSAGE_MALFORMED', 'x', { field: 'x' } as never)
    expect(errorToWords(ENGLISH.words, rare)).toContain('MESSAGE_MALFORMED')
    expect(errorToWords(ENGLISH.words, new TypeError('own words'))).toBe('own words')
  })
})
