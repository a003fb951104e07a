/** Bytes that a browser must load, gzip: bundled by Vite, as an app would. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const here = fileURLToPath(new URL('.', import.meta.url))
const APP = fileURLToPath(new URL('../app/dist/', import.meta.url))
const SDK_GOAL = 40_000
const APP_GOAL = 250_000

export async function sizeRows({ progress }) {
  progress('sizes …')
  const sdk = await bundled("export { createTracer, memoryStorage } from '@geotrace/client'")
  const core = await bundled("export { loadCore } from '@geotrace/core-wasm'")
  const dialer = await bundled("export { libp2pDialer } from '@geotrace/client'", { dynamic: true })
  const page = readFileSync(join(APP, 'index.html'), 'utf8')
  const entry = /src="\/(assets\/index-[^"]+)"/.exec(page)[1]
  const style = /href="\/(assets\/[^"]+\.css)"/.exec(page)[1]
  const shell = [...closure(entry), style, 'index.html']
  const map = readdirSync(join(APP, 'assets')).filter((name) => /^(map|land-110m|redactor)-/.test(name))
  const first = new Set([...shell, ...map.flatMap((name) => [...closure(`assets/${name}`)])])
  return [
    bytesRow('core alone, loaded at once', core.first),
    bytesRow('core + SDK without network, loaded at once', sdk.first, SDK_GOAL),
    bytesRow('dialer: libp2p, loaded with the first sync', dialer.later),
    bytesRow('web app: shell and welcome', gzipped(shell)),
    bytesRow('web app: first load, map with land and hexagons', gzipped([...first]), APP_GOAL),
  ]
}

function bytesRow(name, ours, goal) {
  const row = { name: `${name}, gzip B`, against: goal === undefined ? '' : 'goal', ours }
  return goal === undefined ? row : { ...row, theirs: goal, ratio: ours / goal }
}

/** What the entry imports at once, and what it may import later. */
async function bundled(source) {
  const folder = mkdtempSync(join(tmpdir(), 'geotrace-size-'))
  const entry = join(here, `.entry-${process.pid}.js`)
  writeFileSync(entry, source)
  try {
    const { output } = await build({
      configFile: false,
      logLevel: 'error',
      root: here,
      build: {
        outDir: folder,
        write: false,
        target: 'es2022',
        modulePreload: false,
        rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' },
      },
    })
    const chunks = new Map(output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]))
    const first = new Set()
    const visit = (name) => {
      if (first.has(name)) return
      first.add(name)
      for (const next of chunks.get(name).imports) if (chunks.has(next)) visit(next)
    }
    visit(output.find(({ isEntry }) => isEntry).fileName)
    const size = (names) => names.reduce((sum, name) => sum + gzipSync(chunks.get(name).code, { level: 9 }).length, 0)
    return { first: size([...first]), later: size([...chunks.keys()].filter((name) => !first.has(name))) }
  } finally {
    rmSync(entry, { force: true })
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A built file and all that it imports statically. */
function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen
  seen.add(name)
  if (!name.endsWith('.js')) return seen
  const code = readFileSync(join(APP, name), 'utf8')
  for (const [, next] of code.matchAll(/(?:from|^import|;import)\s*["']\.\/([^"']+)["']/g))
    closure(`assets/${next}`, seen)
  return seen
}

function gzipped(names) {
  return names.reduce((sum, name) => sum + gzipSync(readFileSync(join(APP, name)), { level: 9 }).length, 0)
}
