/** Bytes of this package that a browser loads, gzip: bundled by Rolldown as in an app's build, split at `import()`. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const here = fileURLToPath(new URL('.', import.meta.url))
/** The path of the app's one file: beside this package's sources, so that imports resolve as theirs do. */
const ENTRY = join(here, 'app.js')
const CONDITIONS = ['source', 'browser', 'import', 'module', 'default']

/**
 * The chunks of an app that consists of `source`: those that its entry imports statically, and all others. Each is
 * `{ fileName, code, modules }`; `modules` are the files in it.
 */
export async function bundleOf(source) {
  const bundle = await rolldown({
    input: ENTRY,
    platform: 'browser',
    preserveEntrySignatures: 'strict',
    resolve: { conditionNames: CONDITIONS },
    plugins: [
      { name: 'entry', resolveId: (id) => (id === ENTRY ? id : null), load: (id) => (id === ENTRY ? source : null) },
    ],
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  await bundle.close()
  /** @type {import('rolldown').OutputChunk[]} */
  const all = output.filter(({ type }) => type === 'chunk')
  const entry = all.find(({ isEntry }) => isEntry).fileName
  const first = closure(all, entry)
  return {
    entry,
    first: all.filter(({ fileName }) => first.has(fileName)),
    later: all.filter(({ fileName }) => !first.has(fileName)),
    /** Chunks that `import()` of a file adds to the first ones, with all chunks that these may load later. */
    broughtBy(path) {
      const start = all.find(({ facadeModuleId }) => facadeModuleId?.endsWith(path))
      if (start === undefined) throw new RangeError(`"path" expected a file that is imported later, got ${path}`)
      const brought = closure(all, start.fileName, ({ imports, dynamicImports }) => [...imports, ...dynamicImports])
      return all.filter(({ fileName }) => brought.has(fileName) && !first.has(fileName))
    },
  }
}

export function gzipBytes(chunks) {
  return chunks.reduce((sum, { code }) => sum + gzipSync(code, { level: 9 }).length, 0)
}

/** Gzipped sizes of the chunks' parts, each alone. Their sum exceeds the chunks, because a chunk shares one dictionary. */
export function partsOf(chunks) {
  const sizes = {}
  for (const { modules } of chunks) {
    for (const [id, { code }] of Object.entries(modules)) {
      if (!code) continue
      const part = toPart(id)
      sizes[part] = (sizes[part] ?? '') + code
    }
  }
  return Object.entries(sizes)
    .map(([part, code]) => ({ part, bytes: gzipSync(code, { level: 9 }).length }))
    .sort((a, b) => b.bytes - a.bytes)
}

function toPart(id) {
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(id)
  if (dependency) return dependency[1]
  if (id.includes('/core-wasm/src/generated/')) return `the core's module: ${id.replace(/.*\/|\.ts$/g, '')}`
  if (id.includes('/core-wasm/src/wire/')) return 'core-wasm/wire'
  if (id.includes('/core-wasm/')) return 'core-wasm'
  return 'client'
}

/** Names of a chunk and of all chunks that it imports, directly or not. */
function closure(chunks, name, toNext = ({ imports }) => imports, seen = new Set()) {
  const chunk = chunks.find(({ fileName }) => fileName === name)
  if (chunk === undefined || seen.has(name)) return seen
  seen.add(name)
  for (const next of toNext(chunk)) closure(chunks, next, toNext, seen)
  return seen
}
