/** Paints how cells are matched: regions with their shards, and the hexagons of the three layers. Loaded when somebody asks. */
import type { Core } from '@geotrace/core-wasm'
import { type FixHexagons, gridAround, positionToHexagons, regionsIn } from './hexagons.ts'
import type { Pen, Scene } from './scene.ts'

const [REGIONS_FROM_ZOOM, REGIONS_TO_ZOOM] = [6.5, 15]
const REGION_LABELS_FROM_ZOOM = 8.2
const REGION_MARGIN_PX = 60
const HEXAGONS_FROM_ZOOM = 15
/** For layer A: the least reach of one more ring in metres, and the number of rings that stay distinguishable. */
const GRID_RING_M = 16
const GRID_RINGS_MAX = 34
/** Fixes drawn, newest first: more than those of a day would cover each other. */
const HEXAGON_FIXES_MAX = 288

const hexagons = new Map<string, FixHexagons>()

export function paintRegions({ camera, core, shards, shown, words }: Scene, pen: Pen): void {
  const { context, projection, colours, trace, text } = pen
  if (!shown.has('regions') || camera.zoom < REGIONS_FROM_ZOOM || camera.zoom > REGIONS_TO_ZOOM) return
  for (const { region, shard, ring, middle } of regionsIn(core, pen.toBounds(REGION_MARGIN_PX), shards)) {
    trace(context, ring, projection)
    context.fillStyle = `hsl(${Math.round((360 * shard) / shards)} ${colours.shard})`
    context.fill()
    context.strokeStyle = colours.line!
    context.lineWidth = 1
    context.stroke()
    if (camera.zoom < REGION_LABELS_FROM_ZOOM) continue
    const [x, y] = projection(middle)!
    text(context, words.shard(shard), x, y - 8, 'bold 13px system-ui, sans-serif')
    text(context, words.region(region), x, y + 9, '11px system-ui, sans-serif')
  }
}

/** The cells of layer A around the middle, while they are large enough to be distinct. */
export function paintGrid({ camera, size, shown }: Scene, pen: Pen): void {
  const { context, projection, colours, trace, metresPerPixel } = pen
  const reach = (Math.hypot(size.width, size.height) / 2) * metresPerPixel
  const rings = Math.ceil(reach / GRID_RING_M) + 1
  if (!shown.has('A') || rings > GRID_RINGS_MAX) return
  context.strokeStyle = colours.grid!
  context.lineWidth = 1
  context.beginPath()
  for (const ring of gridAround(camera.lat, camera.lng, rings)) trace(context, ring, projection, false)
  context.stroke()
}

export function paintHexagons({ core, camera, fixes, shown, selected, size }: Scene, pen: Pen): void {
  const { context, projection, colours, trace } = pen
  if (camera.zoom < HEXAGONS_FROM_ZOOM) return
  const places: { lat: number; lng: number }[] = [...fixes.slice(-HEXAGON_FIXES_MAX), ...(selected ? [selected] : [])]
  const done = new Set<string>()
  for (const place of places) {
    const [x, y] = projection([place.lng, place.lat]) ?? [-1000, -1000]
    if (x < -60 || y < -60 || x > size.width + 60 || y > size.height + 60) continue
    const { ids, rings } = placeToHexagons(core, place)
    for (const [i, layer] of (['A', 'B', 'C'] as const).entries()) {
      if (!shown.has(layer) || done.has(ids[i]!)) continue
      done.add(ids[i]!)
      trace(context, rings[i]!, projection)
      const colour = colours[layer.toLowerCase()]!
      context.globalAlpha = 0.16
      context.fillStyle = colour
      context.fill()
      context.globalAlpha = 0.9
      context.strokeStyle = colour
      context.lineWidth = place === selected ? 2.5 : 1.3
      context.stroke()
      context.globalAlpha = 1
    }
  }
}

function placeToHexagons(core: Core, { lat, lng }: { lat: number; lng: number }): FixHexagons {
  const key = `${lat},${lng}`
  const known = hexagons.get(key)
  if (known !== undefined) return known
  if (hexagons.size > 4 * HEXAGON_FIXES_MAX) hexagons.clear()
  const fresh = positionToHexagons(core, lat, lng)
  hexagons.set(key, fresh)
  return fresh
}
