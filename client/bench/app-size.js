/** Bytes of the built web app that a browser loads, gzip: with the first page, and until the map is shown. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const APP = fileURLToPath(new URL('../app/dist/', import.meta.url))
/** The first view loads these: the map, its land, and redaction with h3-js, which also draws the hexagons. */
const FIRST_VIEW = /^(map|_virtual_coarse-land|redactor|check-manifest)-/

export function appBytes() {
  const page = readFileSync(join(APP, 'index.html'), 'utf8')
  const entry = /src="\/(assets\/index-[^"]+)"/.exec(page)[1]
  const style = /href="\/(assets\/[^"]+\.css)"/.exec(page)[1]
  const shell = new Set([...closure(entry), style, 'index.html'])
  const lazy = readdirSync(join(APP, 'assets')).filter((name) => FIRST_VIEW.test(name))
  const first = new Set([...shell, ...lazy.flatMap((name) => [...closure(`assets/${name}`)])])
  return { shell: gzipBytes(shell), first: gzipBytes(first) }
}

/** A built file and all files that it imports statically. */
function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen
  seen.add(name)
  if (!name.endsWith('.js')) return seen
  const code = readFileSync(join(APP, name), 'utf8')
  for (const [, next] of code.matchAll(/(?:from|^import|;import)\s*["'`]\.\/([^"'`]+)["'`]/g))
    closure(`assets/${next}`, seen)
  return seen
}

function gzipBytes(names) {
  return [...names].reduce((sum, name) => sum + gzipSync(readFileSync(join(APP, name)), { level: 9 }).length, 0)
}
