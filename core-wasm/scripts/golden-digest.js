// The golden digest over the cells, regions, blocks and hashes of many fixes. PROTOCOL.md §3. It is equal on every engine
// and in both builds. Each coordinate is one integer and one division, so it does not depend on the sine of the host. The
// script runs in pages too.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

export const GOLDEN = {
  100000: 'a0c67175a2389289157aef8f78e17a0f06d99c4aac0268a9efa6f85f6da7feb7',
  1000000: '6a06a118d006e84c535ad9c93b172ded189d796bd05b2ca3d1e0007094fbd6d2',
}
const CHUNK = 1000
const START_MS = 1_760_000_000_000

export function goldenDigest(core, count) {
  const digest = sha256.create()
  let state = 0x47540004
  const next = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    // The upper bits, because the lower bits of such a generator hardly vary.
    return Math.floor((state / 2 ** 32) * below)
  }
  let [lat, lng] = [0, 0]
  for (let from = 0; from < count; from += CHUNK) {
    const fixes = Array.from({ length: CHUNK }, (_, i) => {
      // Every tenth fix is anywhere on earth; the others are within 20 m of the fix before. In units of 1e-7 degrees.
      if (i % 10 === 0) [lat, lng] = [next(1_800_000_001) - 900_000_000, next(3_600_000_000) - 1_800_000_000]
      else
        [lat, lng] = [
          Math.max(-900_000_000, Math.min(900_000_000, lat + next(3_600) - 1_800)),
          lng + next(3_600) - 1_800,
        ]
      return { lat: lat / 1e7, lng: lng / 1e7, at: START_MS + (from + i) * 100_000 + next(100_000) }
    })
    const points = core.fixesToRiskPoints(fixes, 'plain')
    const { regions, sizes, blocks } = points.needed
    // A secret contains its own place and block, so that a swapped secret changes hashes.
    const secrets = new Uint8Array(points.needed.count * 32)
    const words = new DataView(secrets.buffer)
    for (let i = 0; i < points.needed.count; i++) {
      words.setUint32(i * 32, regions[i])
      words.setUint32(i * 32 + 12, sizes[i])
      words.setUint32(i * 32 + 28, blocks[i])
    }
    const { cells, lags, ofFix } = points
    for (const part of [cells, points.sizes, points.blocks, lags, ofFix, regions]) {
      digest.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    }
    digest.update(core.hashRiskPoints(points, secrets))
  }
  return bytesToHex(digest.digest())
}
