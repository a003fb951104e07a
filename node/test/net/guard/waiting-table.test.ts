import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WaitingTable } from '../../../src/net/guard/waiting-table.ts'

describe('the waiting table', () => {
  it('a full prefix evicts its own oldest item and never the new one', () => {
    const table = new WaitingTable<string>(10, 2)
    for (const item of ['b1', 'a1', 'a2']) expect(table.add(item, item[0]!)).toBeUndefined()
    expect(table.add('a3', 'a')).toBe('a1')
    expect(table.add('b2', 'b')).toBeUndefined()
    expect(table.delete('a1')).toBe(false)
    expect(table.delete('a2')).toBe(true)
    expect(table.add('a4', 'a')).toBeUndefined()
    expect(table.items()).toEqual(['b1', 'a3', 'b2', 'a4'])
    expect(table.itemsOf('a')).toEqual(['a3', 'a4'])
  })

  it('a full prefix evicts its oldest silent item before an older item that has spoken', () => {
    const spoken = new Set(['a1', 'a2'])
    const table = new WaitingTable<string>(10, 3, (item) => !spoken.has(item))
    for (const item of ['a1', 'a2', 'a3']) table.add(item, 'a')
    expect(table.add('a4', 'a')).toBe('a3')
    spoken.add('a4')
    expect(table.add('a5', 'a')).toBe('a1')
  })

  it('a full table evicts its oldest item and counts that item no longer', () => {
    const table = new WaitingTable<string>(2, 1)
    table.add('a1', 'a')
    table.add('b1', 'b')
    expect(table.add('c1', 'c')).toBe('a1')
    expect(table.delete('a1')).toBe(false)
    expect(table.add('a2', 'a')).toBe('b1')
    expect(table.size).toBe(2)
  })

  it('a full prefix in a full table evicts one item only', () => {
    const table = new WaitingTable<string>(2, 1)
    table.add('a1', 'a')
    table.add('b1', 'b')
    expect(table.add('b2', 'b')).toBe('b1')
    expect(table.items()).toEqual(['a1', 'b2'])
  })

  it('the table never exceeds its total or the share of a prefix', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.boolean()), { maxLength: 200 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), (all, max, perPrefix) => {
        const table = new WaitingTable<string>(max, perPrefix)
        let model: string[] = []
        for (const [i, [prefix, isLeaving]] of all.entries()) {
          const item = `${prefix}${i}`
          const same = model.filter((other) => other.startsWith(prefix))
          if (isLeaving && model.length > 0) {
            expect(table.delete(model[i % model.length]!)).toBe(true)
            model = model.filter((_, at) => at !== i % model.length)
          } else {
            const evicted = same.length >= perPrefix ? same[0] : model.length >= max ? model[0] : undefined
            expect(table.add(item, prefix)).toBe(evicted)
            model = [...model.filter((other) => other !== evicted), item]
          }
          expect(table.items()).toEqual(model)
          expect(table.size).toBeLessThanOrEqual(max)
          expect(table.itemsOf(prefix).length).toBeLessThanOrEqual(perPrefix)
        }
      }),
    )
  })
})
