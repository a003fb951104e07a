/** The map's pure parts beside the 180th meridian: the camera, regions and rings. The map must look alike at every longitude. */
import { loadCore } from '@geotrace/core-wasm'
import fc from 'fast-check'
import { latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { type Camera, fit, mercatorY, pan, toBounds, toProjection, worldToPixels } from '../../app/src/map/camera.ts'
import { regionsIn } from '../../app/src/map/hexagons.ts'
import { arcToParts, lngsToArc, toPrincipal, unwrapPixels } from '../../app/src/map/longitude.ts'

const SIZE = { width: 800, height: 600 }
const lng = fc.double({ min: -180, max: 180, noNaN: true })
const lat = fc.double({ min: -75, max: 75, noNaN: true })
const turnApart = (a: number, b: number) => Math.abs(toPrincipal(a - b))

describe('the map at every longitude', () => {
  it('the camera fits two places 4 km apart on both sides of 180° as it fits them at Suva', () => {
    const suva = fit(
      [178.44, 178.48].map((item) => ({ lat: -16.8, lng: item })),
      SIZE,
    )
    const taveuni = fit(
      [179.98, -179.98].map((item) => ({ lat: -16.8, lng: item })),
      SIZE,
    )
    expect(taveuni.zoom).toBeCloseTo(suva.zoom, 6)
    expect(turnApart(taveuni.lng, 180)).toBeLessThan(1e-9)
  })

  it('places lie on the screen where the projection puts them', () => {
    const near = fc.record({
      lat,
      lng,
      zoom: fc.double({ min: 1, max: 21, noNaN: true }),
      north: lat,
      east: fc.double({ min: -170, max: 170, noNaN: true }),
    })
    fc.assert(
      fc.property(near, ({ zoom, north, east, ...middle }) => {
        const camera = { ...middle, zoom }
        const [x, y] = worldToPixels(Float64Array.of(middle.lng + east, mercatorY(north)), camera, SIZE)
        const [px, py] = toProjection(camera, SIZE)([middle.lng + east, north])!
        expect(Math.hypot(x! - px, y! - py)).toBeLessThan(1e-6 * 256 * 2 ** zoom)
      }),
    )
  })

  it('a turn of all places by any longitude turns the fitted camera and changes nothing else', () => {
    const near = fc.array(fc.record({ lat, lng: fc.double({ min: 0, max: 170, noNaN: true }) }), {
      minLength: 1,
      maxLength: 20,
    })
    fc.assert(
      fc.property(near, lng, (places, turn) => {
        const before = fit(places, SIZE)
        const after = fit(
          places.map((item) => ({ lat: item.lat, lng: toPrincipal(item.lng + turn) })),
          SIZE,
        )
        expect(after.zoom).toBeCloseTo(before.zoom, 3)
        expect(after.lat).toBeCloseTo(before.lat, 9)
        expect(turnApart(after.lng, before.lng + turn)).toBeLessThan(1e-6)
      }),
    )
  })

  it('a drag across 180° moves the camera as far as the same drag elsewhere', () => {
    fc.assert(
      fc.property(lng, lat, (at, south) => {
        const moved = (from: number) => pan({ lat: south, lng: from, zoom: 12 }, SIZE, 300, 0).lng - from
        expect(turnApart(moved(at), moved(0))).toBeLessThan(1e-6)
      }),
    )
  })

  it('the regions of a view cover every point on the screen at any longitude, also at 180°', async () => {
    const core = await loadCore()
    const anywhere = fc.oneof(
      lng,
      fc.double({ min: 179.5, max: 180, noNaN: true }),
      fc.double({ min: -180, max: -179.5, noNaN: true }),
    )
    const camera = fc.record({ lat, lng: anywhere, zoom: fc.double({ min: 6.5, max: 15, noNaN: true }) })
    const points = [0, 400, 799].flatMap((x) => [0, 300, 599].map((y): [number, number] => [x, y]))
    fc.assert(
      fc.property(camera, (view: Camera) => {
        const drawn = new Set(
          regionsIn(core, toBounds(view, SIZE, 60), 5).map(({ middle: [x, y] }) => latLngToCell(y, x, 4)),
        )
        const { invert } = toProjection(view, SIZE)
        for (const point of points) {
          const [x, y] = invert!(point)!
          expect(drawn).toContain(latLngToCell(y, x, 4))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('the shortest arc holds all longitudes, and its parts do not cross 180°', () => {
    fc.assert(
      fc.property(fc.array(lng, { minLength: 1, maxLength: 30 }), (lngs) => {
        const arc = lngsToArc(lngs)
        expect(arc.wide).toBeLessThanOrEqual(360 - 360 / lngs.length + 1e-9)
        const parts = arcToParts({ west: arc.west - 1e-9, wide: arc.wide + 2e-9 })
        for (const item of lngs) {
          const own = toPrincipal(item)
          expect(parts.some(([west, east]) => west <= own && own <= east)).toBe(true)
        }
        for (const [west, east] of parts) expect(-180 <= west && west <= east && east <= 180).toBe(true)
      }),
    )
  })

  it('a ring is drawn whole where the projection begins anew', () => {
    expect(
      unwrapPixels(
        [
          [990, 1],
          [10, 2],
          [1010, 3],
        ],
        1000,
      ),
    ).toEqual([
      [990, 1],
      [1010, 2],
      [1010, 3],
    ])
  })
})
