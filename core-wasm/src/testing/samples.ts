/** Seeded inputs of the conformance suite and the tests: equal on every run and on every machine with the same rounding. */
import type { Fix } from '../domain.ts'

export type Draw = () => number
export type LatLng = readonly [lat: number, lng: number]
export type Reading = Pick<Fix, 'lat' | 'lng' | 'at'>

const DEGREES_PER_METRE = 1 / 111_195
const TICK_MS = 300_000

/** Mulberry32: numbers in [0, 1) from a 32-bit seed. */
export function seeded(seed: number): Draw {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A position, uniform on the sphere. */
export function anywhere(random: Draw): LatLng {
  const z = random() * 2 - 1
  return [(Math.asin(z) * 180) / Math.PI, random() * 360 - 180]
}

export function randomBytes(random: Draw, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random() * 256)
}

/**
 * The fixes of one person, one every five minutes. Each lies `strideM` metres from the one before and has an error of up
 * to `noiseM` metres on each axis.
 */
export function walk(
  random: Draw,
  count: number,
  strideM: number,
  noiseM: number,
  startMs = 1_760_000_000_000,
): Reading[] {
  let [lat, lng] = anywhere(random)
  return Array.from({ length: count }, (_, i) => {
    const heading = random() * 2 * Math.PI
    lat = Math.max(-85, Math.min(85, lat + Math.cos(heading) * strideM * DEGREES_PER_METRE))
    const stretch = DEGREES_PER_METRE / Math.cos((lat * Math.PI) / 180)
    lng += Math.sin(heading) * strideM * stretch
    const error = () => (random() * 2 - 1) * noiseM
    return { lat: lat + error() * DEGREES_PER_METRE, lng: lng + error() * stretch, at: startMs + i * TICK_MS }
  })
}
