// Loads the module from a file, build/simd.wasm of the package, which the browser caches. Another module is refused.
import { CORE_SHA256, loadCore } from '@geotrace/core-wasm'

const response = await fetch('simd.wasm')
const core = await loadCore({ wasm: await response.arrayBuffer(), pins: CORE_SHA256 })
document.querySelector('output').textContent = `${core.build} ${core.sha256}`
