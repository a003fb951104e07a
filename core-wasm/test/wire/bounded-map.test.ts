import { expect, it } from 'vitest'
import { boundedMap } from '../../src/wire/bounded-map.ts'

it('a full bounded map drops its oldest key for a new one, and none when a known key is set', () => {
  const map = boundedMap<string, number>(2)
  map.set('a', 1).set('b', 2).set('a', 3)
  expect([...map]).toEqual([
    ['a', 3],
    ['b', 2],
  ])
  map.set('c', 4)
  expect([...map.keys()]).toEqual(['b', 'c'])
})
