// Hashes the fixes that the page sends. A core belongs to one thread, so every worker loads its own core.
import { loadCore } from '@geotrace/core-wasm'

const loading = loadCore()
addEventListener('message', async ({ data: fixes }) => {
  const core = await loading
  const points = core.fixesToRiskPoints(fixes, 'plain')
  const salts = new Uint8Array(points.needed.count * 32) // in an app: from salt nodes, for points.needed
  const hashes = core.hashRiskPoints(points, salts)
  postMessage({ count: points.count, hashes }, [hashes.buffer])
})
