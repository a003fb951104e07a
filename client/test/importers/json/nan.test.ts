import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withoutNaN } from '../../../src/importers/json/nan.ts'

function filter(text: string, size: number): string {
  const bytes = new TextEncoder().encode(text)
  const clean = withoutNaN()
  const decoder = new TextDecoder()
  let out = ''
  for (let from = 0; from < bytes.length; from += size) {
    for (const part of clean.write(bytes.subarray(from, from + size))) out += decoder.decode(part, { stream: true })
  }
  for (const part of clean.end()) out += decoder.decode(part, { stream: true })
  return out
}

describe('numbers that JSON does not have', () => {
  it('NaN and Infinity become null, whatever the size of the chunks', () => {
    const text = '[NaN, -Infinity ,{"a":\n Infinity},"NaN","Name", NaN]'
    const want = '[null, null ,{"a":\n null},"NaN","Name", null]'
    for (const size of [1, 2, 3, 7, 11, 100]) expect(filter(text, size)).toBe(want)
  })

  it('proper JSON is unchanged', () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 1, max: 30 }), (text, size) => {
        fc.pre(!/[:[,]\s*-?(NaN|Infinity)[,\]}\s]/.test(text))
        expect(filter(text, size)).toBe(text)
      }),
    )
  })
})
