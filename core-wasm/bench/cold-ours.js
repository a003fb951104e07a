import { loadCore } from '../dist/index.js'
import { fixes } from './cold-fixes.js'

export async function run() {
  const core = await loadCore()
  const points = core.fixesToRiskPoints(fixes, 'plain')
  return core.hashRiskPoints(points, new Uint8Array(points.needed.count * 32).fill(7)).length
}
