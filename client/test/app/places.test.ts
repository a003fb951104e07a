/** The names of cities on the map: the largest first, none over another, none beyond the edge. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Label, type NamedCity, toBox, toLabels } from '../../app/src/map/places.ts'

const SIZE = { width: 800, height: 600 }
const BERLIN: NamedCity = ['Berlin', 52.52, 13.4]
const POTSDAM: NamedCity = ['Potsdam', 52.4, 13.05]
const names = (labels: readonly Label[]) => labels.map(({ name }) => name)

describe('the names of cities', () => {
  it('two cities have their names where there is room, and the larger one alone where there is none', () => {
    const at = (zoom: number) => names(toLabels([BERLIN, POTSDAM], { lat: 52.45, lng: 13.2, zoom }, SIZE))
    expect(at(9)).toEqual(['Berlin', 'Potsdam'])
    expect(at(4)).toEqual(['Berlin'])
  })

  it('the whole world and a street have no names', () => {
    expect(toLabels([BERLIN], { lat: 52.52, lng: 13.4, zoom: 1 }, SIZE)).toEqual([])
    expect(toLabels([BERLIN], { lat: 52.52, lng: 13.4, zoom: 16 }, SIZE)).toEqual([])
  })

  it('no name covers another or leaves the map', () => {
    const city = fc.tuple(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.double({ min: 50, max: 55, noNaN: true }),
      fc.double({ min: 10, max: 17, noNaN: true }),
    )
    fc.assert(
      fc.property(fc.array(city, { maxLength: 30 }), fc.double({ min: 3, max: 12, noNaN: true }), (cities, zoom) => {
        const boxes = toLabels(cities, { lat: 52.5, lng: 13.4, zoom }, SIZE).map(toBox)
        for (const [i, a] of boxes.entries()) {
          expect(a.left >= 0 && a.top >= 0 && a.right <= SIZE.width && a.bottom <= SIZE.height).toBe(true)
          for (const b of boxes.slice(i + 1)) {
            expect(a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top).toBe(true)
          }
        }
      }),
    )
  })
})
