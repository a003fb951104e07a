/** Which tiles cover the screen, and where they lie on it. Web Mercator, x to the east and y to the south. Pure. */
import type { Camera, Size } from '../map/camera.ts'

export interface TilePlace {
  readonly z: number
  readonly x: number
  readonly y: number
  /** The tile's upper left corner and its side, in pixels of the screen. */
  readonly left: number
  readonly top: number
  readonly sidePx: number
}

/** Tiles are drawn for a side of 512 px. */
const ZOOM_OF_TILE = -1
/** More than a screen of 4,096 by 2,160 px needs at that side. */
const TILES_MAX = 90

/**
 * The part of the world on the screen. `worldPx` is the width of the whole world at the camera's zoom, `middleY` the share of
 * it that lies north of the camera.
 */
export interface Screen {
  readonly camera: Camera
  readonly size: Size
  readonly worldPx: number
  readonly middleY: number
}

/** The screen, and what it takes to paint on it. `ratio`: pixels of the device for each pixel of the page. */
export interface View extends Screen {
  readonly ratio: number
  readonly colours: Readonly<Record<string, string>>
}

/** Those nearest to the middle of the screen first. The world repeats to the east and west. */
export function tilesOnScreen(
  { camera, size, worldPx, middleY }: Screen,
  minZoom: number,
  maxZoom: number,
): TilePlace[] {
  const z = Math.min(maxZoom, Math.max(minZoom, Math.round(camera.zoom) + ZOOM_OF_TILE))
  if (z < 0) return []
  const count = 2 ** z
  const sidePx = worldPx / count
  const [atX, atY] = [((camera.lng + 180) / 360) * count, middleY * count]
  const reach = (px: number) => px / 2 / sidePx
  const columns = range(atX, reach(size.width))
  const rows = range(atY, reach(size.height)).filter((y) => y >= 0 && y < count)
  const tiles = columns.flatMap((column) =>
    rows.map((y) => ({
      z,
      x: ((column % count) + count) % count,
      y,
      left: size.width / 2 + (column - atX) * sidePx,
      top: size.height / 2 + (y - atY) * sidePx,
      sidePx,
    })),
  )
  const away = ({ left, top }: TilePlace): number =>
    Math.hypot(left + sidePx / 2 - size.width / 2, top + sidePx / 2 - size.height / 2)
  return tiles.sort((a, b) => away(a) - away(b)).slice(0, TILES_MAX)
}

function range(middle: number, reach: number): number[] {
  const from = Math.floor(middle - reach)
  return Array.from({ length: Math.floor(middle + reach) - from + 1 }, (_, i) => from + i)
}
