/** The map's camera, pure. Web Mercator keeps a hexagon's shape at any zoom; zoom 0 is the world on 256 px. */
import { type GeoProjection, geoMercator } from 'd3-geo'
import { type Arc, lngsToArc, toPrincipal } from './longitude.ts'

export interface Camera {
  lat: number
  lng: number
  zoom: number
}
export interface Size {
  width: number
  height: number
}

export const ZOOM_MIN = 0.5
/** Two metres are 100 px; closer zooms show no more detail. */
export const ZOOM_MAX = 21
const LAT_MAX = 84
const WORLD_PX = 256
const EQUATOR_M = 40_075_017

export function toProjection({ lat, lng, zoom }: Camera, { width, height }: Size): GeoProjection {
  return geoMercator()
    .scale(worldPixels({ zoom }) / (2 * Math.PI))
    .rotate([-lng, 0])
    .center([0, lat])
    .translate([width / 2, height / 2])
    .clipExtent([
      [-40, -40],
      [width + 40, height + 40],
    ])
}

/** The camera after a drag of the ground by (dx, dy) pixels. */
export function pan(camera: Camera, size: Size, dx: number, dy: number): Camera {
  const [lng, lat] = toProjection(camera, size).invert!([size.width / 2 - dx, size.height / 2 - dy])!
  return bounded({ ...camera, lat, lng })
}

/** Zooms by `steps`; the point under (x, y) stays in place. */
export function zoomAt(camera: Camera, size: Size, steps: number, x = size.width / 2, y = size.height / 2): Camera {
  const zoom = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, camera.zoom + steps))
  const under = toProjection(camera, size).invert!([x, y])!
  const moved = { ...camera, zoom }
  const [px, py] = toProjection(moved, size)(under)!
  return pan(moved, size, x - px, y - py)
}

/** Shows all places with a margin; a single place with 300 m around it. */
export function fit(places: readonly { lat: number; lng: number }[], { width, height }: Size): Camera {
  const lats = places.map(({ lat }) => lat)
  const [south, north] = [Math.min(...lats), Math.max(...lats)]
  const { west, wide } = lngsToArc(places.map(({ lng }) => lng))
  const across = Math.max(wide / 360, 1e-9)
  const high = Math.max(mercatorY(south) - mercatorY(north), 1e-9)
  const zoom = Math.min(
    Math.log2((width * 0.7) / (WORLD_PX * across)),
    Math.log2((height * 0.6) / (WORLD_PX * high)),
    17,
  )
  return bounded({ lat: (south + north) / 2, lng: west + wide / 2, zoom })
}

export interface Bounds extends Arc {
  south: number
  north: number
}

/** The part of the world on the screen and `marginPx` around it. */
export function toBounds(camera: Camera, size: Size, marginPx: number): Bounds {
  const invert = toProjection(camera, size).invert!
  const [, north] = invert([size.width / 2, -marginPx])!
  const [, south] = invert([size.width / 2, size.height + marginPx])!
  const wide = Math.min(360, (360 * (size.width + 2 * marginPx)) / worldPixels(camera))
  return { south, north, west: toPrincipal(camera.lng - wide / 2), wide }
}

/** The share of the world south of its northern edge. */
export function mercatorY(lat: number): number {
  return 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)
}

/**
 * Places on the screen, x, y, x, y …, at the turn of the world nearest to the camera. `world` has longitude and `mercatorY` of
 * each. Fourteen days of fixes take a hundredth of the time that the projection takes.
 */
export function worldToPixels(world: Float64Array, camera: Camera, { width, height }: Size): Float64Array {
  const worldPx = worldPixels(camera)
  const middleY = mercatorY(camera.lat)
  const pixels = new Float64Array(world.length)
  for (let i = 0; i < world.length; i += 2) {
    pixels[i] = width / 2 + (toPrincipal(world[i]! - camera.lng) / 360) * worldPx
    pixels[i + 1] = height / 2 + (world[i + 1]! - middleY) * worldPx
  }
  return pixels
}

export function worldPixels({ zoom }: Pick<Camera, 'zoom'>): number {
  return WORLD_PX * 2 ** zoom
}

export function metresPerPixel({ lat, zoom }: Camera): number {
  return (EQUATOR_M * Math.cos((lat * Math.PI) / 180)) / worldPixels({ zoom })
}

/** A round length and its pixels, for the scale. */
export function toScale(camera: Camera): { px: number; metres: number } {
  const perPixel = metresPerPixel(camera)
  const most = 110 * perPixel
  const power = 10 ** Math.floor(Math.log10(most))
  const metres = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power
  return { px: metres / perPixel, metres }
}

function bounded({ lat, lng, zoom }: Camera): Camera {
  return {
    lat: Math.min(LAT_MAX, Math.max(-LAT_MAX, lat)),
    lng: toPrincipal(lng),
    zoom: Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, zoom)),
  }
}
