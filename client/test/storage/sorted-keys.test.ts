import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { sortedKeys } from '../../src/storage/sorted-keys.ts'

it('sorted keys give the same values and ranges as a filter over a map', () => {
  const key = fc.stringMatching(/^[a-c/]{1,4}$/)
  const step = fc.tuple(key, fc.option(fc.string(), { nil: undefined }), key)
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const model = new Map<string, string>()
      const keys = sortedKeys(new Map())
      for (const [name, value, prefix] of steps) {
        keys.set(name, value)
        if (value === undefined) model.delete(name)
        else model.set(name, value)
        expect(keys.get(name)).toBe(value)
        expect(keys.range(prefix)).toEqual([...model.keys()].filter((item) => item.startsWith(prefix)).sort())
      }
      expect(keys.range('')).toEqual([...model.keys()].sort())
    }),
  )
})
