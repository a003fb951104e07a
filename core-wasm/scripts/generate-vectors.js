// Writes vectors/{cells,blocks,risk-hashes,digests,seeds}.json from the reference model, which uses h3-js and noble. It needs the
// build (npm run build). generate-tables.js writes vectors/tables.json.
//   node core-wasm/scripts/generate-vectors.js
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { reference, vectors } from '../dist/testing/index.js'

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('../vectors/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of Object.entries(vectors(reference()))) {
    writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(content, null, 1)}\n`)
  }
}
