/** Bytes that a browser loads, gzip: of this package by part, as an app bundles it, and of the built web app. */
import { appBytes } from './app-size.js'
import { bundleOf, gzipBytes, partsOf } from './bundle.js'

const SDK_GOAL = 40_000
const APP_GOAL = 230_000

export async function sizeRows({ progress }) {
  progress('sizes …')
  const core = await bundleOf("export { loadCore } from '@geotrace/core-wasm'")
  const sdk = await bundleOf("export { createTracer, memoryStorage } from '@geotrace/client'")
  const full = await bundleOf("export { createTracer, levelStorage, libp2pDialer } from '@geotrace/client'")
  const app = appBytes()
  return [
    bytesRow('core alone, loaded at once', gzipBytes(core.first)),
    bytesRow('core + SDK without network, loaded at once', gzipBytes(sdk.first), SDK_GOAL),
    ...partsOf(sdk.first).map(({ part, bytes }) => bytesRow(`of it ${part}`, bytes)),
    bytesRow('the same with levelStorage and libp2pDialer', gzipBytes(full.first), SDK_GOAL),
    bytesRow('once, when a manifest is new: its check', gzipBytes(sdk.broughtBy('check-manifest.ts'))),
    bytesRow('with redaction: h3-js', gzipBytes(sdk.broughtBy('redactor.ts'))),
    bytesRow('with the first sync: rosters, salts, deposit', gzipBytes(sdk.broughtBy('src/sync.ts'))),
    bytesRow('with the first sync: libp2p', gzipBytes(full.broughtBy('libp2p-session.ts'))),
    bytesRow('where SIMD is missing: the scalar core', gzipBytes(core.broughtBy('generated/scalar.ts'))),
    bytesRow('web app: shell and welcome', app.shell),
    bytesRow('web app: first load, map with land and hexagons', app.first, APP_GOAL),
  ]
}

function bytesRow(name, ours, goal) {
  const row = { name: `${name}, gzip B`, against: goal === undefined ? '' : 'goal', ours }
  return goal === undefined ? row : { ...row, theirs: goal, ratio: ours / goal }
}
