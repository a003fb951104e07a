// A page that finds the three cells of a position and their region. A bundler resolves the import and embeds the module.
import { loadCore } from '@geotrace/core-wasm'

const core = await loadCore()
const cells = core.fixToCells(51.5007, -0.1246)
const regions = cells.map((cell) => core.cellToRegion(cell))
document.querySelector('output').textContent = `${cells.map((cell) => cell.toString(16)).join(' ')} in ${regions}`
