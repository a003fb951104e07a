/** Paints the map on a canvas: ground, regions, zones, hexagons, fixes, exposures. Colours come from the style sheet. */
import type { DiaryEntry } from '@geotrace/client'
import { type GeoProjection, geoCircle, geoGraticule10, geoPath } from 'd3-geo'
import { isLand } from './base.ts'
import { mercatorY, metresPerPixel, toBounds, toProjection, worldPixels, worldToPixels } from './camera.ts'
import { cellToRing, type Ring } from './cell-ring.ts'
import { unwrapPixels } from './longitude.ts'
import { toLabels } from './places.ts'
import type { Pen, Scene } from './scene.ts'

/** From this zoom on land has no detail, so the whole view gets the ground of its centre. */
const LAND_TO_ZOOM = 11
/** Below this zoom the world has a graticule. */
const GRATICULE_TO_ZOOM = 6.5
const METRES_PER_DEGREE = 111_195
const TRACK_STEP_PX = 1.5
const TRACK_GAP_MS = 30 * 60_000

type Point = readonly [x: number, y: number]
/** More than any canvas is wide, so that a pixel has one number. */
const PIXELS_PER_ROW = 1 << 16

let colours: Record<string, string> = {}

/** Reads the colours again after a change of the theme. */
export function readColours(element: Element): void {
  const style = getComputedStyle(element)
  const names = [
    'green',
    'building',
    'road',
    'edge',
    'water',
    'land',
    'line',
    'grid',
    'ink',
    'paper',
    'a',
    'b',
    'c',
    'fix',
    'risk',
    'hidden',
    'me',
    'shard',
  ]
  colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--map-${name}`).trim()]))
}

export function paint(context: CanvasRenderingContext2D, scene: Scene): void {
  const { camera, size, ratio, shown, matching, spread } = scene
  const streets = shown.has('streets') ? scene.streets : undefined
  const view = { camera, size, worldPx: worldPixels(camera), middleY: mercatorY(camera.lat), ratio, colours }
  const projection = toProjection(camera, size)
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  paintGround(context, scene, projection)
  streets?.paint(context, view)
  const pen: Pen = {
    ...{ context, projection, colours, trace, text },
    metresPerPixel: metresPerPixel(camera),
    toBounds: (marginPx) => toBounds(camera, size, marginPx),
  }
  matching?.paintRegions(scene, pen)
  spread?.paint(scene, pen)
  if (streets?.paintNames(context, view) !== true) paintCities(context, scene)
  matching?.paintGrid(scene, pen)
  if (shown.has('hidden')) paintHidden(context, scene, projection)
  matching?.paintHexagons(scene, pen)
  if (shown.has('fixes')) paintFixes(context, scene)
  paintExposures(context, scene, projection)
  paintPosition(context, scene, projection)
}

function paintGround(
  context: CanvasRenderingContext2D,
  { camera, size, land }: Scene,
  projection: GeoProjection,
): void {
  const close = camera.zoom >= LAND_TO_ZOOM
  const onLand = close && land !== undefined && isLand(land, camera.lng, camera.lat)
  context.fillStyle = colours[onLand ? 'land' : 'water']!
  context.fillRect(0, 0, size.width, size.height)
  const path = geoPath(projection, context)
  if (!close && land !== undefined) {
    context.beginPath()
    path(land as Parameters<typeof path>[0])
    context.fillStyle = colours.land!
    context.fill()
    context.strokeStyle = colours.line!
    context.lineWidth = 0.7
    context.stroke()
    if (land.borders !== undefined) {
      context.beginPath()
      path(land.borders)
      context.setLineDash([5, 3])
      context.stroke()
      context.setLineDash([])
    }
  }
  if (camera.zoom < GRATICULE_TO_ZOOM) {
    context.beginPath()
    path(geoGraticule10())
    context.strokeStyle = colours.grid!
    context.lineWidth = 0.5
    context.stroke()
  }
}

function paintCities(context: CanvasRenderingContext2D, { cities, camera, size }: Scene): void {
  context.font = '12px system-ui, sans-serif'
  context.textAlign = 'left'
  context.textBaseline = 'middle'
  context.lineWidth = 3
  context.strokeStyle = colours.land!
  context.fillStyle = colours.ink!
  for (const { name, x, y } of toLabels(cities, camera, size)) {
    context.beginPath()
    context.arc(x, y, 2, 0, 2 * Math.PI)
    context.fill()
    context.strokeText(name, x + 7, y)
    context.fillText(name, x + 7, y)
  }
}

function text(context: CanvasRenderingContext2D, value: string, x: number, y: number, font: string): void {
  context.font = font
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.lineWidth = 3
  context.strokeStyle = colours.paper!
  context.strokeText(value, x, y)
  context.fillStyle = colours.ink!
  context.fillText(value, x, y)
}

function paintHidden(
  context: CanvasRenderingContext2D,
  { homeCells, zones, camera, words }: Scene,
  projection: GeoProjection,
): void {
  context.fillStyle = colours.hidden!
  context.beginPath()
  for (const cell of homeCells) trace(context, cellToRing(cell), projection, false)
  context.fill()
  const path = geoPath(projection, context)
  for (const { shape } of zones) {
    context.beginPath()
    if ('corners' in shape)
      trace(
        context,
        shape.corners.map(({ lng, lat }) => [lng, lat]),
        projection,
        false,
      )
    else
      path(
        geoCircle()
          .center([shape.lng, shape.lat])
          .radius(shape.radiusM / METRES_PER_DEGREE)(),
      )
    context.fill()
    context.strokeStyle = colours.ink!
    context.lineWidth = 1
    context.setLineDash([4, 4])
    context.stroke()
    context.setLineDash([])
  }
  if (homeCells.length > 0 && camera.zoom > 12) {
    const corners = homeCells.map((cell) => cellToRing(cell)[0]!)
    const points = toPixels(corners, projection)
    const x = points.reduce((sum, point) => sum + point[0], 0) / points.length
    const y = points.reduce((sum, point) => sum + point[1], 0) / points.length
    text(context, words.hiddenHome, x, y, '12px system-ui, sans-serif')
  }
}

const worlds = new WeakMap<readonly DiaryEntry[], Float64Array>()

function toWorld(fixes: readonly DiaryEntry[]): Float64Array {
  const known = worlds.get(fixes)
  if (known !== undefined) return known
  const world = Float64Array.from(fixes.flatMap(({ lat, lng }) => [lng, mercatorY(lat)]))
  worlds.set(fixes, world)
  return world
}

function paintFixes(context: CanvasRenderingContext2D, { fixes, size, camera }: Scene): void {
  const radius = camera.zoom > 12 ? 4 : 3
  const pixels = worldToPixels(toWorld(fixes), camera, size)
  const [kept, lost] = [new Map<number, Point>(), new Map<number, Point>()]
  for (const [i, { state }] of fixes.entries()) {
    const [x, y] = [pixels[2 * i]!, pixels[2 * i + 1]!]
    if (x < -10 || y < -10 || x > size.width + 10 || y > size.height + 10) continue
    // Of several dots on one pixel, one is enough.
    const pixel = Math.round(y) * PIXELS_PER_ROW + Math.round(x)
    ;(state === 'lost' || state === 'history' ? lost : kept).set(pixel, [x, y])
  }
  paintTrack(context, fixes, pixels)
  // All outlines come first, so that none covers a neighbour's dot.
  paintDots(context, kept.values(), radius + 1.5, colours.paper!)
  paintDots(context, lost.values(), radius + 1, colours.fix!)
  paintDots(context, kept.values(), radius, colours.fix!)
  paintDots(context, lost.values(), radius - 0.5, colours.paper!)
}

/** The way from fix to fix, broken where half an hour is missing. */
function paintTrack(context: CanvasRenderingContext2D, fixes: readonly DiaryEntry[], pixels: Float64Array): void {
  context.beginPath()
  let [beforeAt, beforeX, beforeY] = [Number.NEGATIVE_INFINITY, 0, 0]
  for (const [i, { at }] of fixes.entries()) {
    const [x, y] = [pixels[2 * i]!, pixels[2 * i + 1]!]
    const isLinked = at - beforeAt < TRACK_GAP_MS
    beforeAt = at
    // A step of less than a pixel adds nothing to the line.
    if (isLinked && Math.hypot(x - beforeX, y - beforeY) < TRACK_STEP_PX) continue
    if (isLinked) context.lineTo(x, y)
    else context.moveTo(x, y)
    ;[beforeX, beforeY] = [x, y]
  }
  context.strokeStyle = colours.fix!
  context.globalAlpha = 0.45
  context.lineWidth = 2
  context.stroke()
  context.globalAlpha = 1
}

function paintDots(context: CanvasRenderingContext2D, points: Iterable<Point>, radius: number, colour: string): void {
  context.beginPath()
  for (const [x, y] of points) {
    context.moveTo(x + radius, y)
    context.arc(x, y, radius, 0, 2 * Math.PI)
  }
  context.fillStyle = colour
  context.fill()
}

function paintExposures(context: CanvasRenderingContext2D, { exposures }: Scene, projection: GeoProjection): void {
  for (const { lat, lng, certainty, verdict } of exposures) {
    if (verdict === 'dismissed' || verdict === 'archived') continue
    const [x, y] = projection([lng, lat]) ?? [-1000, -1000]
    context.strokeStyle = colours.risk!
    context.lineWidth = certainty === 'low' ? 1.5 : 3
    for (const radius of certainty === 'high' ? [11, 17] : [13]) {
      context.beginPath()
      context.arc(x, y, radius, 0, 2 * Math.PI)
      context.stroke()
    }
  }
}

function paintPosition(
  context: CanvasRenderingContext2D,
  { position, camera }: Scene,
  projection: GeoProjection,
): void {
  if (position === undefined) return
  const [x, y] = projection([position.lng, position.lat]) ?? [-1000, -1000]
  context.beginPath()
  context.arc(x, y, Math.max(9, (position.accuracyM ?? 0) / metresPerPixel(camera)), 0, 2 * Math.PI)
  context.globalAlpha = 0.18
  context.fillStyle = colours.me!
  context.fill()
  context.globalAlpha = 1
  context.beginPath()
  context.arc(x, y, 6, 0, 2 * Math.PI)
  context.fill()
  context.lineWidth = 2
  context.strokeStyle = colours.paper!
  context.stroke()
}

/** Draws edges as straight lines, because no hexagon is large enough on the screen to look curved. */
function trace(context: CanvasRenderingContext2D, ring: Ring, projection: GeoProjection, begin = true): void {
  if (begin) context.beginPath()
  for (const [i, [x, y]] of toPixels(ring, projection).entries()) {
    if (i === 0) context.moveTo(x, y)
    else context.lineTo(x, y)
  }
  context.closePath()
}

/** Points that belong together, not torn where the projection begins anew. */
function toPixels(ring: Ring, projection: GeoProjection): [x: number, y: number][] {
  const points = ring.map((point) => projection(point) ?? ([0, 0] as [number, number]))
  return unwrapPixels(points, 2 * Math.PI * projection.scale())
}
