/**
 * Paints where reporters have been: a hexagon for each shown cell, or circles for groups of cells while the map is far away.
 * PROTOCOL.md §9.6. Older periods are paler and lie below. Loaded when somebody asks for this layer.
 */
import type { SpreadOverview } from '@geotrace/client'
import { cellToRing, type Ring } from '../map/cell-ring.ts'
import type { Pen, Scene, SpreadPainter } from '../map/scene.ts'
import { TONES, toTone } from './tones.ts'

type Period = SpreadOverview['periods'][number]

/** The edge of a cell in metres, by resolution, on average. */
const EDGE_M: Readonly<Record<number, number>> = { 5: 9_854, 6: 3_725, 7: 1_406, 8: 531 }
/** Below this edge a cell is a dot on the screen, so the map shows groups. */
const EDGE_MIN_PX = 5
/** From this edge on a cell has room for its number. */
const NUMBER_MIN_PX = 20
const [CIRCLE_MIN_PX, CIRCLE_MAX_PX] = [9, 34]
const OPACITY = 0.85
const NUMBER_FONT = '600 12px system-ui, sans-serif'

/** `format` writes a number of people. Periods come newest first. */
export function spreadPainter(periods: readonly Period[], format: (n: number) => string): SpreadPainter {
  const layers = periods
    .map((period) => ({ period, rings: period.cells.map(({ cell }) => cellToRing(cell)) }))
    .reverse()
  return {
    paint(scene, pen) {
      const tones = readTones(pen.context.canvas)
      const { context } = pen
      const newest = layers.findLast(({ rings }) => rings.length > 0)
      for (const { period, rings } of layers) {
        const edgePx = EDGE_M[period.resolution]! / pen.metresPerPixel
        const isNewest = period === newest?.period
        context.globalAlpha = OPACITY * period.recency
        if (edgePx >= EDGE_MIN_PX) paintCells(period, rings, { scene, pen, tones, edgePx })
        // Circles of several periods would only cover each other.
        const circles = edgePx < EDGE_MIN_PX && isNewest ? toCircles(period, pen) : []
        for (const circle of circles) paintCircle(circle, period, pen, tones)
        context.globalAlpha = 1
        for (const { x, y, count } of circles) pen.text(context, format(count), x, y, NUMBER_FONT)
        if (isNewest && edgePx >= NUMBER_MIN_PX) paintNumbers(period, scene, pen, format)
      }
    },
  }
}

interface Way {
  scene: Scene
  pen: Pen
  tones: readonly string[]
  edgePx: number
}

function paintCells({ cells, threshold }: Period, rings: readonly Ring[], { scene, pen, tones, edgePx }: Way): void {
  const { context, projection, trace } = pen
  for (const [i, { lat, lng, count }] of cells.entries()) {
    const [x, y] = projection([lng, lat]) ?? [-1e6, -1e6]
    if (!isNear(x, y, scene, 2 * edgePx)) continue
    trace(context, rings[i]!, projection)
    context.fillStyle = tones[toTone(count, threshold)]!
    context.fill()
  }
}

interface Circle {
  x: number
  y: number
  radius: number
  count: number
  cells: number
}

/** The clusters as circles on the screen, those with most people first. Circles that would overlap become one. */
function toCircles({ clusters }: Period, { projection }: Pen): Circle[] {
  const people = clusters.reduce((sum, { count }) => sum + count, 0)
  // The area of a circle is proportional to its people.
  const toRadius = (count: number): number => Math.max(CIRCLE_MIN_PX, CIRCLE_MAX_PX * Math.sqrt(count / people))
  const circles: Circle[] = []
  for (const { lat, lng, count, cells } of clusters) {
    const [x, y] = projection([lng, lat]) ?? [-1e6, -1e6]
    const radius = toRadius(count)
    const touched = circles.find((circle) => Math.hypot(circle.x - x, circle.y - y) < circle.radius + radius)
    if (touched === undefined) {
      circles.push({ x, y, radius, count, cells })
      continue
    }
    const share = count / (touched.count + count)
    touched.x += (x - touched.x) * share
    touched.y += (y - touched.y) * share
    touched.count += count
    touched.cells += cells
    touched.radius = toRadius(touched.count)
  }
  return circles
}

function paintCircle(
  { x, y, radius, count, cells }: Circle,
  { threshold }: Period,
  pen: Pen,
  tones: readonly string[],
) {
  const { context } = pen
  context.beginPath()
  context.arc(x, y, radius, 0, 2 * Math.PI)
  context.fillStyle = tones[toTone(count / cells, threshold)]!
  context.fill()
}

function paintNumbers({ cells }: Period, scene: Scene, pen: Pen, format: (n: number) => string): void {
  const { context, projection, text } = pen
  for (const { lat, lng, count } of cells) {
    const [x, y] = projection([lng, lat]) ?? [-1e6, -1e6]
    if (isNear(x, y, scene, 0)) text(context, format(count), x, y, NUMBER_FONT)
  }
}

function isNear(x: number, y: number, { size }: Scene, margin: number): boolean {
  return x > -margin && y > -margin && x < size.width + margin && y < size.height + margin
}

/** The tones of the theme, palest first. */
function readTones(canvas: HTMLCanvasElement): string[] {
  const style = getComputedStyle(canvas)
  return Array.from({ length: TONES }, (_, i) => style.getPropertyValue(`--spread-${i + 1}`).trim())
}
