/**
 * The inputs, equal for all contenders: 20,160 fixes of a walk and 20,160 uniform fixes, in slices of a day (one fix every
 * five minutes). The salts of each slice are made beforehand, in the form that each contender keeps them.
 */
import { anywhere, seeded, walk } from '../dist/testing/samples.js'

export const SLICE_FIXES = 288
export const SLICES = 70
const WALKING_M = 400
const NOISE_M = 5
const START_MS = 1_760_000_000_000
const TICK_MS = 300_000
const SIZES = [5, 10, 20, 40, 80]

export function traces() {
  const random = seeded(0x47540003)
  const count = SLICE_FIXES * SLICES
  const uniform = Array.from({ length: count }, (_, i) => {
    const [lat, lng] = anywhere(random)
    return { lat, lng, at: START_MS + i * TICK_MS }
  })
  return { trace: sliced(walk(random, count, WALKING_M, NOISE_M)), uniform: sliced(uniform) }
}

/** A person who stays for three hours. Each fix has an error of up to 5 m on each axis. */
export function stationary(count) {
  return Array.from({ length: count }, (_, i) => walk(seeded(100 + i), 36, 0, NOISE_M))
}

/**
 * The salts of a slice. `ours` has 32 bytes for each entry of `needed`. The others are looked up beforehand. They hold, for
 * each fix, the ten salts of each layer's region as bytes, and the salts of layer A as hex.
 */
export function saltSlice(core, fixes) {
  const points = core.fixesToRiskPoints(fixes, 'plain')
  const { needed } = points
  const ours = new Uint8Array(needed.count * 32)
  for (let i = 0; i < needed.count; i++) {
    ours.set(salt(needed.regions[i], needed.sizes[i], needed.blocks[i]), i * 32)
  }
  const saltOf = (point) => ours.slice(points.secretIndex[point] * 32, (points.secretIndex[point] + 1) * 32)
  const perFix = fixes.map((fix, f) => {
    const ofFix = points.ofFix.subarray(f * 30, (f + 1) * 30)
    return {
      ...fix,
      salts: [0, 10, 20].map((layer) => Array.from(ofFix.subarray(layer, layer + 10), saltOf)),
      hexSalts: Array.from(ofFix.subarray(0, 10), (point) => Buffer.from(saltOf(point)).toString('hex')),
      blocks: SIZES.map((size) => Math.floor(fix.at / (size * 60_000))),
    }
  })
  return { fixes, ours, perFix }
}

function salt(region, size, n) {
  const random = seeded(Math.imul(region, 0x9e3779b1) ^ Math.imul(n, 0x85ebca6b) ^ size)
  const words = Uint32Array.from({ length: 8 }, () => random() * 2 ** 32)
  return new Uint8Array(words.buffer)
}

function sliced(fixes) {
  return Array.from({ length: SLICES }, (_, i) => fixes.slice(i * SLICE_FIXES, (i + 1) * SLICE_FIXES))
}
