/** The pure parts of streets from a map file: which tiles, where on the screen, what is drawn, and where names go. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Camera, toProjection } from '../../app/src/map/camera.ts'
import { toPrincipal } from '../../app/src/map/longitude.ts'
import { decodeTile } from '../../app/src/streets/decode.ts'
import { AREAS, featureToKind, KINDS } from '../../app/src/streets/kinds.ts'
import { alongLine, type Box, isFree } from '../../app/src/streets/labels.ts'
import { tilesOnScreen } from '../../app/src/streets/tile-grid.ts'
import { encodeTile } from './street-file.ts'

const SIZE = { width: 800, height: 600 }
const camera = fc.record({
  lat: fc.double({ min: -80, max: 80, noNaN: true }),
  lng: fc.double({ min: -180, max: 180, noNaN: true }),
  zoom: fc.double({ min: 3, max: 20, noNaN: true }),
})

/** By the formula of OpenStreetMap's tile names. */
const northOf = (lat: number) => {
  const radians = (lat * Math.PI) / 180
  return (1 - Math.log(Math.tan(radians) + 1 / Math.cos(radians)) / Math.PI) / 2
}
const screen = (at: Camera) => ({ camera: at, size: SIZE, worldPx: 256 * 2 ** at.zoom, middleY: northOf(at.lat) })

/** The longitude and latitude of the upper left corner of a tile, by the inverse of the formula that the code uses. */
function cornerOf(z: number, x: number, y: number): [lng: number, lat: number] {
  const n = Math.PI * (1 - (2 * y) / 2 ** z)
  return [(x / 2 ** z) * 360 - 180, (Math.atan(Math.sinh(n)) * 180) / Math.PI]
}

describe('the tiles on the screen', () => {
  it('each tile lies where the projection of the map puts its corner', () => {
    fc.assert(
      fc.property(camera, (at) => {
        for (const { z, x, y, left, top, sidePx } of tilesOnScreen(screen(at), 0, 14)) {
          const [lng, lat] = cornerOf(z, x, y)
          if (Math.abs(toPrincipal(lng - at.lng)) > 170 || Math.abs(lat) > 84) continue
          const projection = toProjection(at, SIZE).clipExtent(null)
          const [px, py] = projection([lng, lat])!
          const world = sidePx * 2 ** z
          expect(Math.abs(left - px - world * Math.round((left - px) / world))).toBeLessThan(0.01)
          expect(Math.abs(top - py)).toBeLessThan(0.01)
        }
      }),
    )
  })

  it('the tiles cover the screen, at most 90 of them, none at a zoom that the file lacks', () => {
    fc.assert(
      fc.property(camera, fc.integer({ min: 0, max: 20 }), (at, maxZoom) => {
        const tiles = tilesOnScreen(screen(at), 0, maxZoom)
        expect(tiles.length).toBeLessThanOrEqual(90)
        for (const { z } of tiles) expect(z).toBeLessThanOrEqual(maxZoom)
        const covers = (px: number, py: number) =>
          tiles.some(
            ({ left, top, sidePx }) =>
              px >= left - 1 && px <= left + sidePx + 1 && py >= top - 1 && py <= top + sidePx + 1,
          )
        for (const px of [0, 400, 800]) if (Math.abs(at.lat) < 60) expect(covers(px, 300)).toBe(true)
      }),
    )
  })
})

describe('a vector tile', () => {
  const line = [
    [0, 0],
    [2048, 1024],
  ] as const
  const area = [
    [0, 0],
    [4096, 0],
    [4096, 4096],
  ] as const

  it('roads, water and names of both schemas become shapes in shares of the tile', () => {
    for (const [roads, kind, named] of [
      ['roads', { kind: 'major_road', name: 'Main Street' }, 'roads'],
      ['transportation', { class: 'primary' }, 'transportation_name'],
    ] as const) {
      const tile = decodeTile(
        encodeTile({
          [roads]: [{ type: 'line', properties: kind, points: line }],
          ...(named === roads
            ? {}
            : { [named]: [{ type: 'line', properties: { name: 'Main Street', class: 'primary' }, points: line }] }),
          water: [{ type: 'area', properties: { kind: 'lake', class: 'lake' }, points: area }],
          [roads === 'roads' ? 'places' : 'place']: [
            { type: 'point', properties: { name: 'Little', kind: 'village', class: 'village' }, points: [[10, 10]] },
            { type: 'point', properties: { name: 'Big', kind: 'locality', class: 'city' }, points: [[1024, 2048]] },
          ],
          pois: [{ type: 'point', properties: { name: 'Kiosk' }, points: [[1, 1]] }],
        }),
      )
      expect([...tile.shapes.keys()].sort()).toEqual(['major', 'water'])
      expect([...tile.shapes.get('major')!.lines[0]!]).toEqual([0, 0, 0.5, 0.25])
      expect(tile.shapes.get('water')!.isArea).toBe(true)
      expect(tile.roads.map(({ name }) => name)).toEqual(['Main Street'])
      expect(tile.places[0]).toMatchObject({ name: 'Big', x: 0.25, y: 0.5 })
      expect(tile.places).toHaveLength(2)
    }
  })

  it('bytes that are no vector tile throw or give an empty tile, and never hang', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          decodeTile(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
    )
  })

  it('an area is never drawn as a line and a line never as an area', () => {
    for (const layer of [
      'roads',
      'transportation',
      'water',
      'waterway',
      'landuse',
      'park',
      'buildings',
      'boundaries',
    ]) {
      for (const kind of ['highway', 'river', 'lake', 'park', 'country', 'building', 'path']) {
        for (const isArea of [true, false]) {
          const drawn = featureToKind(layer, { kind }, isArea)
          if (drawn !== undefined) expect([KINDS.includes(drawn), AREAS.has(drawn)]).toEqual([true, isArea])
        }
      }
    }
  })
})

describe('the names on the map', () => {
  it('a name goes to the middle of a straight line, never upside down, and to no line that is too short or bends', () => {
    const east = Float32Array.of(0, 0, 100, 0)
    expect(alongLine(east, 40, 100)).toEqual([{ x: 50, y: 0, angle: 0 }])
    expect(alongLine(east, 20, 30).map(({ x }) => Math.round(x))).toEqual([17, 50, 83])
    const [{ angle } = { angle: Math.PI }] = alongLine(Float32Array.of(100, 0, 0, 0), 40, 100)
    expect(Math.cos(angle)).toBeCloseTo(1)
    for (const line of [east, Float32Array.of(0, 0, 50, 0, 50, 50), Float32Array.of(3, 3)]) {
      expect(alongLine(line, line === east ? 101 : 80, 100)).toEqual([])
    }
  })

  it('no two names overlap and none crosses the edge', () => {
    const name = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      x: fc.integer({ min: -50, max: 850 }),
      y: fc.integer({ min: -50, max: 650 }),
      angle: fc.double({ min: -1.5, max: 1.5, noNaN: true }),
      widthPx: fc.integer({ min: 5, max: 200 }),
    })
    fc.assert(
      fc.property(fc.array(name, { maxLength: 30 }), (names) => {
        const taken: Box[] = []
        for (const at of names) isFree(taken, at, SIZE, 200)
        for (const [i, a] of taken.entries()) {
          expect([a.left >= 0, a.top >= 0, a.right <= 800, a.bottom <= 600]).toEqual([true, true, true, true])
          for (const b of taken.slice(i + 1)) {
            expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false)
            if (a.name === b.name) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThanOrEqual(200)
          }
        }
      }),
    )
  })
})
