/** The table of the core. README.md says which rows are goals. Every row is a ratio of minima measured in one run. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { loadCore } from '../dist/index.js'
import { coldRows } from './cold.js'
import { digestRows } from './digests.js'
import { stationary } from './inputs.js'
import { pipelineRows } from './pipeline.js'
import { sortRows } from './sorts.js'

const WALKS = 200

export async function rows({ progress }) {
  const core = await loadCore()
  return [
    ...(await pipelineRows(core, progress)),
    ...(await digestRows(core, progress)),
    ...(await sortRows(core, progress)),
    ...(await coldRows(progress)),
    stationaryRow(core),
    ...sizeRows(),
  ]
}

/** Numbers of hashes for a walk of 36 × 30 risk points. */
function stationaryRow(core) {
  let distinct = 0
  let all = 0
  for (const fixes of stationary(WALKS)) {
    const points = core.fixesToRiskPoints(fixes, 'plain')
    distinct += points.count
    all += points.ofFix.length
  }
  return {
    name: 'three hours stationary, 5 m noise (hashes)',
    against: 'hashing every risk point',
    ratio: all / distinct,
    ours: distinct / WALKS,
    theirs: all / WALKS,
  }
}

function sizeRows() {
  return ['simd', 'scalar'].map((build) => {
    const bytes = readFileSync(new URL(`../build/${build}.wasm`, import.meta.url))
    return { name: `module, ${build} build (bytes)`, against: 'gzip −9', ours: gzipSync(bytes, { level: 9 }).length }
  })
}
