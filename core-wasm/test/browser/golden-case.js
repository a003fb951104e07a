import { loadCore } from '@geotrace/core-wasm'
import { goldenDigest } from '../../scripts/golden-digest.js'

export async function digestOf({ build, source, fixes }) {
  const wasm = source === 'url' ? await (await fetch(`/${build}.wasm`)).arrayBuffer() : undefined
  const core = await loadCore({ build, ...(wasm && { wasm }) })
  if (core.build !== build) return `the ${core.build} build`
  return goldenDigest(core, Number(fixes))
}
