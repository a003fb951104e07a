/**
 * The published vectors: answers of an implementation to fixed questions, as plain JSON for ports in other languages.
 * Ids and bytes are lower-case hex, times Unix ms. `vectors/*.json` holds the answers of the reference.
 */
import { bytesToHex } from '@noble/hashes/utils.js'
import type { Implementation } from './reference.ts'
import { anywhere, type LatLng, randomBytes, seeded } from './samples.ts'
import { seedVectors } from './seed-vectors.ts'

const POSITIONS = 200
const RISK_HASHES = 60
/** Message lengths around every length where the padding changes. */
const LENGTHS = [0, 1, 3, 31, 32, 38, 47, 48, 55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 130]
const TIMES = [0, 299_999, 300_000, 4_799_999, 4_800_000, 1_577_836_799_999, 1_577_836_800_000, 1_760_000_123_456]
const SIZES = [5, 10, 20, 40, 80]

/** Poles, the antimeridian, one turn too many, cities, and places whose cells lie in several regions. */
const PLACES: readonly LatLng[] = [
  [0, 0],
  [90, 0],
  [90, 123],
  [-90, 0],
  [89.9999, 45],
  [-89.9999, -135],
  [-16.5, 180],
  [-16.5, -180],
  [-16.5, 540],
  [-16.5, 179.99999],
  [-16.5, -179.99999],
  [67, 180],
  [51.5007, -0.1246],
  [-41.2865, 174.7762],
  [-33.8568, 151.2153],
  [37.7955, -122.3937],
  [-23.5505, -46.6333],
  [-1.2921, 36.8219],
  [64.1466, -21.9426],
  [1.2868, 103.8545],
  [78.2232, 15.6267],
  [64.70003, 10.536199],
  [64.7, 10.53662],
  [23.717955, -67.132326],
  [-64.7, -169.46338],
  [46.041939, 71.527903],
  [64.436617, 89.573079],
  [50.159777, -44.609724],
  [28.61849, -70.26684],
  [7.2753, -52.36487],
  [-43.16779, 132.01027],
]

export function vectors(core: Implementation) {
  const random = seeded(0x47540002)
  // Seven decimals, so that the doubles do not depend on the sine of the host.
  const rounded = (degrees: number) => Math.round(degrees * 1e7) / 1e7
  const others = Array.from({ length: POSITIONS }, () => anywhere(random).map(rounded) as unknown as LatLng)
  const cells = [...PLACES, ...others].map(([lat, lng]) => {
    const ids = core.fixToCells(lat, lng)
    return { lat, lng, cells: ids.map((id) => id.toString(16)), regions: ids.map(core.cellToRegion) }
  })
  return {
    cells,
    seeds: seedVectors(),
    blocks: TIMES.map((at) => ({ at, blocks: core.timeToBlocks(at) })),
    'risk-hashes': Array.from({ length: RISK_HASHES }, (_, i) => {
      const secret = randomBytes(random, 32)
      const cell = cells[i]!.cells[i % 3]!
      const size = SIZES[i % 5]!
      const n = i === 0 ? 0xffffffff : Math.floor(random() * 6_000_000)
      const riskHash = bytesToHex(core.riskHash(secret, BigInt(`0x${cell}`), size, n))
      return { secret: bytesToHex(secret), cell, size, n, riskHash }
    }),
    digests: LENGTHS.map((length) => {
      const [message, key] = [randomBytes(random, length), randomBytes(random, (length * 7) % 131)]
      return {
        message: bytesToHex(message),
        sha256: bytesToHex(core.sha256Batch(message, length)),
        key: bytesToHex(key),
        hmac: bytesToHex(core.hmacBatch(key, message, length)),
      }
    }),
  }
}
