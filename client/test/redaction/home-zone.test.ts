/**
 * The distance from home to the nearest place that a device may deposit: 10,000 homes, seeded. README "Home and zones"
 * promises a least distance for each ring, and this file measures it.
 */
import { cellToBoundary, cellToLatLng, getPentagons, gridDisk, latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { shorterTurn, toPlace } from '../../src/redaction/degrees.ts'
import { HOME_CLEAR_M, type HomeRing, homeToZone } from '../../src/redaction/home.ts'
import type { Place } from '../../src/redaction/place.ts'
import { openRedactor } from '../../src/redaction/redactor.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { seededBytes } from '../../src/testing/fake-federation.ts'

const RINGS = [2, 3, 4] as const
const HOME_CELLS = 250
const HOMES_PER_CELL = 40
const METRES_PER_DEGREE = 111_195

/** Cells all over the Earth, with those beside the twelve pentagons. */
function homeCells(): string[] {
  const unit = seededUnit('homes')
  const anywhere = Array.from({ length: HOME_CELLS }, () => {
    const lat = (Math.asin(2 * unit() - 1) * 180) / Math.PI
    return latLngToCell(lat, 360 * unit() - 180, 10)
  })
  const odd = getPentagons(10).flatMap((cell) => gridDisk(cell, 1))
  return [...anywhere.slice(odd.length), ...odd]
}

/** Numbers 0 … 1, the same in every run. */
function seededUnit(seed: string): () => number {
  const random = seededBytes(seed)
  return () => new DataView(random(4).buffer).getUint32(0) / 2 ** 32
}

type Plane = readonly [x: number, y: number]

/** Metres around a place, in a plane. */
function planeAround({ lat, lng }: Place): (pair: readonly number[]) => Plane {
  const flat = METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180)
  return ([y, x]) => [shorterTurn(lng, x!) * flat, (y! - lat) * METRES_PER_DEGREE]
}

function toSegment([px, py]: Plane, [ax, ay]: Plane, [bx, by]: Plane): number {
  const [dx, dy] = [bx - ax, by - ay]
  const share = Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)))
  return Math.hypot(ax + share * dx - px, ay + share * dy - py)
}

/** Homes in a cell: near each corner, where the distance is least, and at random places between middle and corners. */
function homesIn(corners: readonly Plane[], unit: () => number): Plane[] {
  const extreme = corners.map(([x, y]): Plane => [0.999 * x, 0.999 * y])
  const inside = Array.from({ length: HOMES_PER_CELL - extreme.length }, (): Plane => {
    const k = Math.floor(unit() * corners.length)
    const [a, b] = [corners[k]!, corners[(k + 1) % corners.length]!]
    const [out, along] = [Math.sqrt(unit()), unit()]
    return [out * (a[0] + along * (b[0] - a[0])), out * (a[1] + along * (b[1] - a[1]))]
  })
  return [...extreme, ...inside]
}

/** For each home the distance to the nearest place outside the zone: to a side of a cell outside. */
function measure(ring: HomeRing, cells: readonly string[]): number[] {
  const random = seededBytes(`secrets ${ring}`)
  const unit = seededUnit(`homes in cells ${ring}`)
  return cells.flatMap((home) => {
    const zone = homeToZone(home, random(32), ring)
    expect(zone).toContain(home)
    const toPlane = planeAround(toPlace(cellToLatLng(home)))
    const hidden = new Set(zone)
    const outside = [...new Set(zone.flatMap((cell) => gridDisk(cell, 1)))].filter((cell) => !hidden.has(cell))
    const sides = outside.flatMap((cell) => {
      const corners = cellToBoundary(cell).map(toPlane)
      return corners.map((corner, i): [Plane, Plane] => [corner, corners[(i + 1) % corners.length]!])
    })
    const homes = homesIn(cellToBoundary(home).map(toPlane), unit)
    return homes.map((place) => Math.min(...sides.map(([a, b]) => toSegment(place, a, b))))
  })
}

describe('the promised distance around home', () => {
  it.each(RINGS)('no place nearer than promised to any of 10,000 homes is released with ring %i', (ring) => {
    // One ring is measured with all homes; the others with every tenth.
    const cells = homeCells().filter((_, i) => ring === 3 || i % 10 === 0)
    const distances = measure(ring, cells).sort((a, b) => a - b)
    if (ring === 3) expect(distances.length).toBeGreaterThan(9_900)
    const [least, middle] = [distances[0]!, distances[distances.length >> 1]!]
    process.stdout.write(
      `ring ${ring}: nearest release of ${distances.length} homes ${least.toFixed(0)} m at least, ${middle.toFixed(0)} m in the middle\n`,
    )
    expect(least).toBeGreaterThanOrEqual(HOME_CLEAR_M[ring])
  })

  it('a device with a marked home keeps no fix within the promised distance', async () => {
    const unit = seededUnit('walks')
    for (let i = 0; i < 20; i++) {
      const home = { lat: 120 * unit() - 60, lng: 360 * unit() - 180 }
      const redactor = await openRedactor({
        storage: memoryStorage(),
        deviceSecret: seededBytes(`walk ${i}`)(32),
        toOffsetMin: () => 0,
        options: { speedMaxMps: Number.POSITIVE_INFINITY },
      })
      await redactor.setHomes([home])
      for (let step = 0; step < 50; step++) {
        const [angle, far] = [2 * Math.PI * unit(), (HOME_CLEAR_M[3] - 1) * Math.sqrt(unit())]
        const fix = {
          lat: home.lat + (far * Math.cos(angle)) / METRES_PER_DEGREE,
          lng: home.lng + (far * Math.sin(angle)) / (METRES_PER_DEGREE * Math.cos((home.lat * Math.PI) / 180)),
          at: step,
        }
        expect(redactor.toReason(fix, step)).toBe('redacted-home')
      }
    }
  })
})
