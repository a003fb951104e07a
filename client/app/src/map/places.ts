/** Names of the larger cities on the map, so that a person recognises where the map is. Pure. */
import { type Camera, type Size, toProjection } from './camera.ts'

/** Largest city first. */
export type NamedCity = readonly [name: string, lat: number, lng: number]

export interface Label {
  name: string
  x: number
  y: number
}

const [FROM_ZOOM, TO_ZOOM] = [2.5, 14]
/** More labels than this hide the map. */
const LABELS_MAX = 40
/** From this zoom on every city of the list may be named. */
const ALL_FROM_ZOOM = 7
const LINE_PX = 18
const CHARACTER_PX = 7.5
const DOT_PX = 8

/** The cities to name, the largest first, none over another and none beyond the edge. */
export function toLabels(cities: readonly NamedCity[], camera: Camera, size: Size): Label[] {
  if (!isNamed(camera.zoom)) return []
  const projection = toProjection(camera, size)
  const share = Math.min(1, 2 ** (2 * (camera.zoom - ALL_FROM_ZOOM)))
  const labels: Label[] = []
  for (const [name, lat, lng] of cities.slice(0, Math.max(LABELS_MAX, cities.length * share))) {
    if (labels.length >= LABELS_MAX) break
    const [x, y] = projection([lng, lat]) ?? [-1, -1]
    const label = { name, x, y }
    const { left, right, top, bottom } = toBox(label)
    if (left < 0 || top < 0 || right > size.width || bottom > size.height) continue
    if (labels.every((other) => isApart(toBox(other), toBox(label)))) labels.push(label)
  }
  return labels
}

interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** The name stands to the right of its dot. */
export function toBox({ name, x, y }: Label): Box {
  return {
    left: x - DOT_PX,
    right: x + DOT_PX + name.length * CHARACTER_PX,
    top: y - LINE_PX / 2,
    bottom: y + LINE_PX / 2,
  }
}

function isApart(a: Box, b: Box): boolean {
  return a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top
}

export function isNamed(zoom: number): boolean {
  return zoom >= FROM_ZOOM && zoom <= TO_ZOOM
}
