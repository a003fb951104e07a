/** Hashes an hour of walking several times and answers the milliseconds of each. */
import { loadCore } from '@geotrace/core-wasm'

const WARMING = 30
const FIXES = 12
const STEP_MS = 300_000
const STEP_DEGREES = 0.0006

self.onmessage = async ({ data: rounds }) => {
  const core = await loadCore()
  const times = []
  for (let round = 0; round < WARMING + rounds; round++) {
    const fixes = Array.from({ length: FIXES }, (_, i) => ({
      lat: 52.5 + STEP_DEGREES * i + round * 1e-5,
      lng: 13.4,
      at: 1_795_000_000_000 + i * STEP_MS,
    }))
    const started = performance.now()
    const points = core.fixesToRiskPoints(fixes, 'plain')
    core.hashRiskPoints(points, new Uint8Array(points.needed.count * 32).fill(7))
    if (round >= WARMING) times.push(performance.now() - started)
  }
  self.postMessage(times)
}
