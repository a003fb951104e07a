import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrictJson } from '../../../src/wire/encoding/strict-json.ts'

/** Objects as lists of pairs, so that a name may stand twice. */
const document = fc.letrec<{ value: unknown; object: [string, unknown][] }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.constantFrom('{', '}', '":', '\\"', ',')),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(fc.constantFrom('a', 'b', '"', '\\', '{', 'é', ':'), tie('value')), { maxLength: 4 })
    .map(asObject),
})).object
const IS_OBJECT = Symbol('object')
function asObject(pairs: [string, unknown][]): [string, unknown][] {
  return Object.assign(pairs, { [IS_OBJECT]: true })
}

/** `spell` writes a name; two spellings of one name are still one name. */
function toText(value: unknown, spell: (name: string) => string): string {
  if (!Array.isArray(value)) return JSON.stringify(value)
  if (!(IS_OBJECT in value)) return `[${value.map((item) => toText(item, spell)).join(' , ')}]`
  return `{${value.map(([name, item]) => `${spell(name)} : ${toText(item, spell)}`).join(', ')}}`
}
function hasTwice(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  const items = IS_OBJECT in value ? value.map(([, item]) => item) : value
  const isTwice = IS_OBJECT in value && new Set(value.map(([name]) => name)).size < value.length
  return isTwice || items.some(hasTwice)
}
const escaped = (name: string): string =>
  `"${[...name].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`

describe('strict JSON', () => {
  it('exactly the documents with a name twice in one object are refused, however the name is spelt', () => {
    fc.assert(
      fc.property(document, fc.infiniteStream(fc.boolean()), (value, coins) => {
        const text = toText(value, (name) => (coins.next().value ? escaped(name) : JSON.stringify(name)))
        if (hasTwice(value)) expect(() => parseStrictJson(text), text).toThrow(/stands twice/)
        else expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }),
      { numRuns: 1_000 },
    )
  })

  it('text that is no JSON is refused with a SyntaxError', () => {
    for (const text of ['', '{', '{"a":1,}', '{"a":1}}', "{'a':1}", '"', '[1 2]', 'undefined']) {
      expect(() => parseStrictJson(text), text).toThrow(SyntaxError)
    }
  })
})
