/** Where names have room: along the middle of a line, and not over each other. Pure. */
import type { Size } from '../map/camera.ts'

export interface Along {
  readonly x: number
  readonly y: number
  /** Radians; the text is never upside down. */
  readonly angle: number
}

/** The straight line between the ends of the text must be nearly as long as the text: else the road bends too much. */
const STRAIGHT_MIN = 0.95

/** A road of a tile has its name at most so often. */
const REPEATS_MAX = 16

/**
 * Where a text of this length fits along the line, about every `apart`. `line` is x, y, x, y … in the unit of `length` and
 * `apart`.
 */
export function alongLine(line: Float32Array, length: number, apart: number): Along[] {
  let total = 0
  for (let i = 2; i < line.length; i += 2) total += stepOf(line, i)
  if (total < length || length <= 0) return []
  const count = Math.min(REPEATS_MAX, Math.max(1, Math.floor(total / Math.max(apart, length))))
  return Array.from({ length: count }, (_, i) => {
    const middle = (total * (i + 0.5)) / count
    const [ax, ay] = pointAt(line, middle - length / 2)
    const [bx, by] = pointAt(line, middle + length / 2)
    const angle = Math.atan2(by - ay, bx - ax)
    const isStraight = Math.hypot(bx - ax, by - ay) >= STRAIGHT_MIN * length
    const upright = Math.abs(angle) > Math.PI / 2 ? angle + Math.PI : angle
    return isStraight ? [{ x: (ax + bx) / 2, y: (ay + by) / 2, angle: upright }] : []
  }).flat()
}

function stepOf(line: Float32Array, i: number): number {
  return Math.hypot(line[i]! - line[i - 2]!, line[i + 1]! - line[i - 1]!)
}

function pointAt(line: Float32Array, distance: number): [x: number, y: number] {
  let left = distance
  for (let i = 2; i < line.length; i += 2) {
    const step = stepOf(line, i)
    if (step > 0 && left <= step) {
      const share = left / step
      return [line[i - 2]! + share * (line[i]! - line[i - 2]!), line[i - 1]! + share * (line[i + 1]! - line[i - 1]!)]
    }
    left -= step
  }
  return [line.at(-2)!, line.at(-1)!]
}

export interface NameAt extends Along {
  readonly name: string
  readonly widthPx: number
}
export interface Box {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const LINE_PX = 16
const MARGIN_PX = 4

/** Takes the place of a name unless another name lies there, the same name is near, or it lies beyond the edge. */
export function isFree(taken: Box[], { name, x, y, angle, widthPx }: NameAt, size: Size, repeatPx: number): boolean {
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))]
  const [wide, high] = [
    (widthPx * cos + LINE_PX * sin) / 2 + MARGIN_PX,
    (widthPx * sin + LINE_PX * cos) / 2 + MARGIN_PX,
  ]
  const box = { name, x, y, left: x - wide, right: x + wide, top: y - high, bottom: y + high }
  if (box.left < 0 || box.top < 0 || box.right > size.width || box.bottom > size.height) return false
  const isTaken = taken.some(
    (other) =>
      (other.name === name && Math.hypot(other.x - x, other.y - y) < repeatPx) ||
      (box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom),
  )
  if (!isTaken) taken.push(box)
  return !isTaken
}
