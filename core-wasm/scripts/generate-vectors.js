// Writes vectors/{cells,blocks,risk-hashes,digests,seeds,voprf}.json from the reference model, which uses h3-js and noble. It needs the
// build (npm run build). generate-tables.js writes vectors/tables.json.
//   node core-wasm/scripts/generate-vectors.js
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { reference, vectors, voprfVectors } from '../dist/testing/index.js'
import { loadGroup } from '../dist/voprf/index.js'

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('../vectors/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const all = { ...vectors(reference()), voprf: voprfVectors(await loadGroup()) }
  for (const [name, content] of Object.entries(all)) {
    writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(content, null, 1)}\n`)
  }
}
