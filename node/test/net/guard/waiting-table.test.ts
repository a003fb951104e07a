import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WaitingTable } from '../../../src/net/guard/waiting-table.ts'

describe('the waiting table', () => {
  it('a prefix that may have two items gets a third one after one has left', () => {
    const table = new WaitingTable<string>(10, 2)
    for (const item of ['a1', 'a2']) expect(table.add(item, 'a')).toEqual({ evicted: undefined })
    expect(table.add('a3', 'a')).toBe('refused')
    expect(table.add('b1', 'b')).toEqual({ evicted: undefined })
    expect(table.delete('a1')).toBe(true)
    expect(table.add('a3', 'a')).toEqual({ evicted: undefined })
    expect(table.items()).toEqual(['a2', 'b1', 'a3'])
  })

  it('a full table evicts its oldest item and counts that item no longer', () => {
    const table = new WaitingTable<string>(2, 1)
    table.add('a1', 'a')
    table.add('b1', 'b')
    expect(table.add('c1', 'c')).toEqual({ evicted: 'a1' })
    expect(table.delete('a1')).toBe(false)
    expect(table.add('a2', 'a')).toEqual({ evicted: 'b1' })
    expect(table.size).toBe(2)
  })

  it('a refused prefix evicts no item', () => {
    const table = new WaitingTable<string>(2, 1)
    table.add('a1', 'a')
    table.add('b1', 'b')
    expect(table.add('b2', 'b')).toBe('refused')
    expect(table.items()).toEqual(['a1', 'b1'])
  })

  it('the table never exceeds its total or the share of a prefix', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.boolean()), { maxLength: 200 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), (all, max, perPrefix) => {
        const table = new WaitingTable<string>(max, perPrefix)
        let model: string[] = []
        for (const [i, [prefix, isLeaving]] of all.entries()) {
          const item = `${prefix}${i}`
          if (isLeaving && model.length > 0) {
            expect(table.delete(model[i % model.length]!)).toBe(true)
            model = model.filter((_, at) => at !== i % model.length)
          } else if (model.filter((other) => other.startsWith(prefix)).length >= perPrefix) {
            expect(table.add(item, prefix)).toBe('refused')
          } else {
            const evicted = model.length >= max ? model[0] : undefined
            expect(table.add(item, prefix)).toEqual({ evicted })
            model = [...model.slice(evicted === undefined ? 0 : 1), item]
          }
          expect(table.items()).toEqual(model)
          expect(table.size).toBeLessThanOrEqual(max)
        }
      }),
    )
  })
})
