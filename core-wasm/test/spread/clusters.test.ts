import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toClusters, type WeightedPlace } from '../../src/spread/index.ts'

const places = fc.array(
  fc.record({
    lat: fc.double({ min: 47, max: 49, noNaN: true }),
    lng: fc.double({ min: 10, max: 13, noNaN: true }),
    weight: fc.integer({ min: 1, max: 400 }),
  }),
  { minLength: 1, maxLength: 40 },
)
const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0)
const away = (a: Pick<WeightedPlace, 'lat' | 'lng'>, b: Pick<WeightedPlace, 'lat' | 'lng'>): number =>
  Math.hypot(a.lat - b.lat, (a.lng - b.lng) * Math.cos((((a.lat + b.lat) / 2) * Math.PI) / 180))

describe('the clusters of a spread', () => {
  it('every shown place and person is in one cluster, the nearest one, and clusters are few', () => {
    fc.assert(
      fc.property(places, (all) => {
        const clusters = toClusters(all)
        const people = sum(all.map(({ weight }) => weight))
        expect(clusters.flatMap((cluster) => cluster.places).sort((a, b) => a - b)).toEqual(all.map((_, i) => i))
        expect(sum(clusters.map(({ weight }) => weight))).toBe(people)
        expect(clusters.length).toBeLessThanOrEqual(Math.max(1, Math.floor(people / 100)))
        for (const cluster of clusters) {
          for (const at of cluster.places) {
            const own = away(all[at]!, cluster)
            expect(Math.min(...clusters.map((other) => away(all[at]!, other)))).toBeGreaterThan(own - 1e-9)
          }
        }
        expect(toClusters(all)).toEqual(clusters)
      }),
      { numRuns: 60 },
    )
  })

  it('two towns far apart become two clusters at their weighted centres, also across the date line', () => {
    const town = (lat: number, lng: number) => [
      { lat, lng, weight: 300 },
      { lat: lat + 0.02, lng, weight: 100 },
    ]
    const clusters = toClusters(
      [...town(10, 179.99), ...town(10, -179.5)].map((item) => ({ ...item, weight: item.weight / 4 })),
    )
    expect(clusters.map(({ weight }) => weight)).toEqual([100, 100])
    for (const { lat } of clusters) expect(lat).toBeCloseTo(10.005, 9)
    const merged = toClusters([
      { lat: 0, lng: 179.9, weight: 1 },
      { lat: 0, lng: -179.9, weight: 1 },
    ])
    expect(Math.abs(merged[0]!.lng)).toBeCloseTo(180, 9)
  })

  it('no place has no cluster, and a thousand places have a hundred clusters', () => {
    expect(toClusters([])).toEqual([])
    const many = Array.from({ length: 1_000 }, (_, i) => ({
      lat: 48 + (i % 32) / 50,
      lng: 11 + i / 3_000,
      weight: 20 + (i % 7),
    }))
    expect(toClusters(many).length).toBe(100)
  })
})
