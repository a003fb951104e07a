/** Longitudes on a map that has no edge: turns, the arc that holds all places, and rings that stay whole. Pure. */

/** An arc eastwards: it begins at `west` and is `wide` degrees long. */
export interface Arc {
  readonly west: number
  readonly wide: number
}

/** Degrees between -180 (included) and 180. */
export function toPrincipal(lng: number): number {
  // Just below 180° the sum rounds up to a whole turn.
  return Math.max(-180, lng - 360 * Math.floor((lng + 180) / 360))
}

/** The shortest arc that holds all these longitudes: all but the widest gap between two neighbours. */
export function lngsToArc(lngs: readonly number[]): Arc {
  const sorted = lngs.map(toPrincipal).sort((a, b) => a - b)
  let best = { west: sorted[0]!, gap: -1 }
  for (const [i, west] of sorted.entries()) {
    const before = i === 0 ? sorted.at(-1)! - 360 : sorted[i - 1]!
    if (west - before > best.gap) best = { west, gap: west - before }
  }
  return { west: best.west, wide: 360 - best.gap }
}

/** The same arc in parts that do not cross the 180th meridian, as [west, east]. */
export function arcToParts({ west, wide }: Arc): [west: number, east: number][] {
  const from = toPrincipal(west)
  const to = from + Math.min(wide, 360)
  return to <= 180
    ? [[from, to]]
    : [
        [from, 180],
        [-180, to - 360],
      ]
}

/** Points of one ring in pixels, each moved by whole worlds until it lies next to the point before. */
export function unwrapPixels(points: readonly [x: number, y: number][], worldPx: number): [x: number, y: number][] {
  let before = points[0]?.[0] ?? 0
  return points.map(([x, y]) => {
    before = x - worldPx * Math.round((x - before) / worldPx)
    return [before, y]
  })
}
