/**
 * Spreads as files for other programs: GeoJSON (RFC 7946) with a polygon for each shown cell, and CSV (RFC 4180). Pure. The
 * files hold shown counts only, each with its deviation and threshold, so that nobody takes noise for a place.
 */
import type { ShownCell, SpreadView } from './view.ts'

/** [lng, lat] in degrees. */
export type RingPoint = [lng: number, lat: number]

const LNG_MAX = 180

/** `toRing` gives the corners of an H3 cell, counterclockwise, not closed. */
export function spreadsToGeoJson(views: readonly SpreadView[], toRing: (cell: string) => RingPoint[]): object {
  const features = views.flatMap((view) =>
    view.cells.map((cell) => ({
      type: 'Feature',
      id: `${view.period}/${cell.cell}`,
      geometry: ringToGeometry(toRing(cell.cell)),
      properties: toProperties(view, cell),
    })),
  )
  return { type: 'FeatureCollection', features }
}

export function spreadsToCsv(views: readonly SpreadView[]): string {
  const lines = views.flatMap((view) =>
    view.cells.map((item) => {
      const { cell, count, sd, threshold, from, until, cluster } = toProperties(view, item)
      return [from, until, cell, item.lat.toFixed(5), item.lng.toFixed(5), count, sd, threshold, cluster].join(',')
    }),
  )
  return `${['from,until,cell,lat,lng,count,sd,threshold,cluster', ...lines].join('\r\n')}\r\n`
}

function toProperties({ fromMs, untilMs, deviation, threshold, period }: SpreadView, item: ShownCell) {
  const { cell, count, cluster } = item
  const sd = Math.round(100 * deviation) / 100
  return { cell, count, sd, threshold, period, from: toDay(fromMs), until: toDay(untilMs), cluster }
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** A cell across the 180th meridian becomes two polygons, as RFC 7946 §3.1.9 asks. */
function ringToGeometry(ring: readonly RingPoint[]) {
  const [west] = ring[0]!
  // Neighbouring corners lie on one side of each other, also across the meridian.
  const unwrapped = ring.map(([lng, lat]): RingPoint => [lng - 360 * Math.round((lng - west) / 360), lat])
  const parts = [-360, 0, 360].flatMap((shift) => {
    const moved = unwrapped.map(([lng, lat]): RingPoint => [lng + shift, lat])
    const part = clip(clip(moved, 1), -1)
    return part.length < 3 ? [] : [[[...part, part[0]!]]]
  })
  return parts.length === 1 ? { type: 'Polygon', coordinates: parts[0]! } : { type: 'MultiPolygon', coordinates: parts }
}

/** The part of a convex ring with `sign` · lng ≤ 180. */
function clip(ring: readonly RingPoint[], sign: 1 | -1): RingPoint[] {
  return ring.flatMap((point, i): RingPoint[] => {
    const next = ring[(i + 1) % ring.length]!
    const [from, to] = [LNG_MAX - sign * point[0], LNG_MAX - sign * next[0]]
    const kept: RingPoint[] = from >= 0 ? [point] : []
    if (from * to >= 0) return kept
    return [...kept, [sign * LNG_MAX, point[1] + ((next[1] - point[1]) * from) / (from - to)]]
  })
}
