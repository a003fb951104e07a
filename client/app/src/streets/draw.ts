/** Draws decoded tiles: areas, lines and names. A tile keeps its paths, so that a drag of the map only moves them. */
import type { Tile } from './decode.ts'
import { KINDS, type Kind, STYLES, type Style } from './kinds.ts'
import { alongLine, type Box, isFree } from './labels.ts'
import type { TilePlace, View } from './tile-grid.ts'

type Placed = TilePlace & { tile: Tile }

const EQUATOR_M = 40_075_017
const EDGE_PX = 1
const ROAD_NAMES_FROM_ZOOM = 15
const PLACE_NAMES_FROM_ZOOM = 4
const NAMES_MAX = 60
const ROAD_FONT = '11px system-ui, sans-serif'
const PLACE_FONT = '600 13px system-ui, sans-serif'
/** The same name again at this distance only. */
const REPEAT_PX = 260

const paths = new WeakMap<Tile, Map<Kind, Path2D>>()

export function paintTiles(context: CanvasRenderingContext2D, view: View, tiles: readonly Placed[]): void {
  const { camera, colours, ratio } = view
  context.save()
  context.fillStyle = colours.land!
  for (const { left, top, sidePx } of tiles) context.fillRect(left - 0.5, top - 0.5, sidePx + 1, sidePx + 1)
  for (const kind of KINDS) {
    const style = STYLES[kind]
    if (camera.zoom < style.fromZoom) continue
    if (style.edge)
      paintKind(context, tiles, kind, ratio, { ...view, px: toWidthPx(style, view) + 2 * EDGE_PX, colour: 'edge' })
    paintKind(context, tiles, kind, ratio, { ...view, px: toWidthPx(style, view), colour: style.colour })
  }
  context.restore()
}

function paintKind(
  context: CanvasRenderingContext2D,
  tiles: readonly Placed[],
  kind: Kind,
  ratio: number,
  { px, colour, colours }: { px: number; colour: string; colours: View['colours'] },
): void {
  for (const { tile, left, top, sidePx } of tiles) {
    const path = toPath(tile, kind)
    if (path === undefined) continue
    const scale = ratio * sidePx
    context.setTransform(scale, 0, 0, scale, ratio * left, ratio * top)
    if (tile.shapes.get(kind)!.isArea) {
      context.fillStyle = colours[colour]!
      context.fill(path, 'evenodd')
    } else {
      context.strokeStyle = colours[colour]!
      context.lineWidth = px / sidePx
      context.lineJoin = 'round'
      context.setLineDash((STYLES[kind].dash ?? []).map((dash) => dash / sidePx))
      context.stroke(path)
    }
  }
  context.setLineDash([])
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
}

function toWidthPx({ widthM = 1, minPx = 1, maxPx = 1 }: Style, { camera, worldPx }: View): number {
  const metresPerPixel = (EQUATOR_M * Math.cos((camera.lat * Math.PI) / 180)) / worldPx
  return Math.min(maxPx, Math.max(minPx, widthM / metresPerPixel))
}

function toPath(tile: Tile, kind: Kind): Path2D | undefined {
  const shape = tile.shapes.get(kind)
  if (shape === undefined) return undefined
  const known = paths.get(tile) ?? new Map<Kind, Path2D>()
  paths.set(tile, known)
  const path = known.get(kind) ?? new Path2D()
  if (!known.has(kind)) {
    for (const line of shape.lines) {
      for (let i = 0; i < line.length; i += 2) {
        if (i === 0) path.moveTo(line[0]!, line[1]!)
        else path.lineTo(line[i]!, line[i + 1]!)
      }
      if (shape.isArea) path.closePath()
    }
    known.set(kind, path)
  }
  return path
}

export function paintNames(context: CanvasRenderingContext2D, view: View, tiles: readonly Placed[]): boolean {
  const { camera, size, colours } = view
  const taken: Box[] = []
  const write = (name: string, x: number, y: number, angle: number): void => {
    context.save()
    context.translate(x, y)
    context.rotate(angle)
    context.strokeText(name, 0, 0)
    context.fillText(name, 0, 0)
    context.restore()
  }
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.lineWidth = 3
  context.lineJoin = 'round'
  context.strokeStyle = colours.paper!
  context.fillStyle = colours.ink!
  if (camera.zoom >= PLACE_NAMES_FROM_ZOOM) {
    context.font = PLACE_FONT
    for (const { tile, left, top, sidePx } of tiles) {
      for (const { name, x, y } of tile.places) {
        const at = {
          name,
          x: left + x * sidePx,
          y: top + y * sidePx,
          angle: 0,
          widthPx: context.measureText(name).width,
        }
        if (taken.length < NAMES_MAX && isFree(taken, at, size, REPEAT_PX)) write(name, at.x, at.y, 0)
      }
    }
  }
  if (camera.zoom < ROAD_NAMES_FROM_ZOOM) return taken.length > 0
  context.font = ROAD_FONT
  for (const { tile, left, top, sidePx } of tiles) {
    for (const { name, line } of tile.roads) {
      if (taken.length >= NAMES_MAX) return true
      const widthPx = context.measureText(name).width
      for (const along of alongLine(line, widthPx / sidePx, REPEAT_PX / sidePx)) {
        const at = { name, x: left + along.x * sidePx, y: top + along.y * sidePx, angle: along.angle, widthPx }
        if (isFree(taken, at, size, REPEAT_PX)) write(name, at.x, at.y, at.angle)
      }
    }
  }
  return taken.length > 0
}
