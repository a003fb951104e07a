/**
 * What a node's shards look like on the ground: the 343 regions of one piece of Europe, north up, those of our shards
 * filled. PROTOCOL.md §3.2. A shard is every Nth region all over the world, so any piece shows the same pattern; a map
 * of the world would be one grey.
 *
 * The lattice is H3's own: seven children around each parent, the grid turned back and forth by 19.1° from one
 * resolution to the next. A test compares it with h3-js, which the node itself does not need.
 */

/** The piece: H3 cell 811fbffffffffff, resolution 1; its 343 regions are numbered on from this one. */
export const FIRST_REGION = 37_273
export const REGIONS = 343
/** How far its lattice is turned against north, degrees; h3-js, least squares over all centres. */
const TURN_DEGREES = 108.63

type Point = readonly [x: number, y: number]
const H = Math.sqrt(3) / 2
/** Of a child's digit 0 to 6: where it lies beside its parent's centre, in spacings. */
const DIGITS: readonly Point[] = [
  [0, 0],
  [-0.5, -H],
  [-0.5, H],
  [-1, 0],
  [1, 0],
  [0.5, -H],
  [0.5, H],
]
/** One spacing of the parent in those of its children, for even and for odd resolutions. */
const STEP: Readonly<Record<number, Point>> = { 0: [2.5, H], 1: [2.5, -H] }

/** Centre of the region `FIRST_REGION + i`: x east, y north, in spacings of regions (about 44 km there). */
export function regionToPoint(i: number): Point {
  const digits = [Math.floor(i / 49) % 7, Math.floor(i / 7) % 7, i % 7]
  const centre = digits.reduce<Point>(
    (point, digit, k) => {
      const [x, y] = times(point, STEP[(k + 2) % 2]!)
      return [x + DIGITS[digit]![0], y + DIGITS[digit]![1]]
    },
    [0, 0],
  )
  return times(centre, direction(TURN_DEGREES))
}

/** The outline of every region of `shards`, of N in all, as one SVG path; y down. */
export function shardsToPath(shards: ReadonlySet<number>, shardCount: number, scale: number): string {
  // A little smaller than its cell, so that neighbours stay apart.
  const radius = (scale / (2 * H)) * 0.93
  const corners = Array.from({ length: 6 }, (_, k) => direction(TURN_DEGREES + 30 + 60 * k))
  const path: string[] = []
  for (let i = 0; i < REGIONS; i++) {
    if (!shards.has((FIRST_REGION + i) % shardCount)) continue
    const [x, y] = regionToPoint(i)
    const outline = corners.map(([dx, dy]) => `${round(x * scale + dx * radius)} ${round(-(y * scale + dy * radius))}`)
    path.push(`M${outline.join('L')}Z`)
  }
  return path.join('')
}

function times([a, b]: Point, [c, d]: Point): Point {
  return [a * c - b * d, a * d + b * c]
}
function direction(degrees: number): Point {
  const angle = (degrees * Math.PI) / 180
  return [Math.cos(angle), Math.sin(angle)]
}
function round(value: number): string {
  return value.toFixed(1)
}
