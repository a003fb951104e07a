// Cuts the Wasm module of libsodium-sumo down to the functions of the group (PROTOCOL.md §5.8) with Binaryen, which comes
// with AssemblyScript. Writes build/ristretto.wasm, without imports and with two pages of memory, and its licence beside it.
// Throws an Error when the hash differs from RISTRETTO_SHA256: another version of a tool or of libsodium needs a review.
//   node core-wasm/scripts/ristretto.js [FOLDER]
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const RISTRETTO_SHA256 = 'b302704d8f2764768687b7a44ecfbeec2e459af4d263eff5ecd38db2f88ace7b'

/** Each export of the result and libsodium's name for the function. */
const FUNCTIONS = {
  multiply: 'crypto_scalarmult_ristretto255',
  multiplyBase: 'crypto_scalarmult_ristretto255_base',
  add: 'crypto_core_ristretto255_add',
  fromHash: 'crypto_core_ristretto255_from_hash',
  isElement: 'crypto_core_ristretto255_is_valid_point',
  scalarAdd: 'crypto_core_ristretto255_scalar_add',
  scalarSubtract: 'crypto_core_ristretto255_scalar_sub',
  scalarMultiply: 'crypto_core_ristretto255_scalar_mul',
  scalarInvert: 'crypto_core_ristretto255_scalar_invert',
  scalarReduce: 'crypto_core_ristretto255_scalar_reduce',
  sha512: 'crypto_hash_sha512',
}
/** Data and stack end below 107,648; the group's own area lies between there and the end of the second page. */
const PAGES = 2

/** The ES module lies beside the CommonJS build to which the package resolves. */
const entry = join(
  dirname(createRequire(import.meta.url).resolve('libsodium-sumo')),
  '../modules-sumo-esm/libsodium-sumo.mjs',
)
/** The notice that every copy of the module carries. */
export const licenceNotice = () => readFileSync(join(dirname(entry), '../../LICENSE'), 'utf8').trim()

/** Throws unless the bytes are the reviewed module. */
export function assertPinned(bytes) {
  const hash = createHash('sha256').update(bytes).digest('hex')
  if (hash === RISTRETTO_SHA256) return
  throw new Error(`expected the module ${RISTRETTO_SHA256}, got ${hash}: review the change, then pin its hash`)
}

/** The whole module. The package carries it inside its JavaScript, so it is taken where it is compiled. */
async function sumoModule() {
  const { instantiate } = WebAssembly
  let found
  WebAssembly.instantiate = (source, imports) => {
    found = new Uint8Array(source)
    return instantiate(source, imports)
  }
  try {
    const { default: start } = await import(pathToFileURL(entry).href)
    await start()
  } finally {
    WebAssembly.instantiate = instantiate
  }
  return found
}

/** Emscripten shortens the names of exports; the JavaScript around the module assigns them to the long names. */
function shortNames() {
  const source = readFileSync(entry, 'latin1')
  return Object.entries(FUNCTIONS).map(([name, long]) => {
    const found = new RegExp(`_${long}=(?:[A-Za-z_$][\\w$]*=)*[A-Za-z]+\\.([\\w$]+)[,;]`).exec(source)
    if (found === null) throw new Error(`libsodium-sumo assigns no export to ${long}`)
    return [found[1], name]
  })
}

async function strip(bytes) {
  // Loaded here, because Binaryen has 13 MB of JavaScript and most builds find the module made.
  const { default: binaryen } = await import('assemblyscript/binaryen')
  const module = binaryen.readBinary(bytes)
  module.setFeatures(binaryen.Features.All)
  const kept = new Map(shortNames())
  const all = Array.from({ length: module.getNumExports() }, (_, i) =>
    binaryen.getExportInfo(module.getExportByIndex(i)),
  )
  for (const { name, value } of all) {
    module.removeExport(name)
    if (kept.has(name)) module.addFunctionExport(value, kept.get(name))
  }
  const segments = Array.from({ length: module.getNumDataSegments() }, (_, i) => {
    const { name, data, offset } = module.getDataSegmentInfo(module.getDataSegmentByIndex(i))
    return { name, data: new Uint8Array(data), offset: module.i32.const(offset), passive: false }
  })
  module.setMemory(PAGES, PAGES, 'memory', segments)
  module.runPasses(['remove-unused-module-elements'])
  if (!module.validate()) throw new Error('the stripped module is not valid')
  return module.emitBinary()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? fileURLToPath(new URL('../build/', import.meta.url))
  const bytes = await strip(await sumoModule())
  assertPinned(bytes)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'ristretto.wasm'), bytes)
  writeFileSync(join(folder, 'ristretto.LICENSE'), `${licenceNotice()}\n`)
}
