// Turns two fixes into risk hashes: node core-wasm/examples/node.js
import { loadCore } from '@geotrace/core-wasm'

const core = await loadCore()
const points = core.fixesToRiskPoints(
  [
    { lat: 51.5007, lng: -0.1246, at: 1_760_000_000_000 },
    { lat: 51.50071, lng: -0.12461, at: 1_760_000_300_000 },
  ],
  'plain',
)
const salts = new Uint8Array(points.needed.count * 32) // in an app: from salt nodes, for points.needed
const hashes = core.hashRiskPoints(points, salts)
console.log(`${points.count} risk points, ${points.needed.count} salts, ${hashes.length} bytes of hashes`)
