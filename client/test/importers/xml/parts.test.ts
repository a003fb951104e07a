import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { xmlParts, xmlRoot } from '../../../src/importers/xml/parts.ts'

const NAMES = { elements: new Set(['p']), tags: new Set(['t']) }
const shown = (text: string) =>
  [...xmlParts(text, NAMES)].map(
    ({ kind, start, end, complete }) => `${kind} ${text.slice(start, end)}${complete ? '' : ' …'}`,
  )

describe('the parts of an XML text', () => {
  it('elements come whole and tags come alone, without what comments and sections hold', () => {
    const text = '<?xml version="1.0"?><!-- <p/> --><t><![CDATA[<p/>]]><x:p a=">">1<q/></x:p><p/></t>'
    expect(shown(text)).toEqual(['open <t>', 'element <x:p a=">">1<q/></x:p>', 'element <p/>', 'close </t>'])
    expect(xmlRoot(text)).toBe('t')
    expect(xmlRoot('<!DOCTYPE t [<!ENTITY a "<p/>">]><x:t>')).toBe('t')
    expect(xmlRoot('no tags')).toBeUndefined()
  })

  it('an element without an end is incomplete, and the next element is read', () => {
    expect(shown('<p>1<p>2</p><p>3')).toEqual(['element <p>1 …', 'element <p>2</p>', 'element <p>3 …'])
  })

  it('parts lie inside the text and in its order, whatever the text is', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '<p>',
      '</p>',
      '<t a="',
      '"',
      "'",
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      'x',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('')
        let last = 0
        for (const { start, end } of xmlParts(text, NAMES)) {
          expect(start).toBeGreaterThanOrEqual(last)
          expect(end).toBeLessThanOrEqual(text.length)
          last = end
        }
      }),
    )
  })
})
