#!/usr/bin/env node
// Committed, so that npm can link it before anything is built. Plain enough for a Node that is too old to say so.
import { existsSync, statSync } from 'node:fs'

const OLDEST = [20, 19]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(`geotrace needs Node ${OLDEST.join('.')} or newer, and this is ${process.versions.node}.`)
  console.error('  → install a newer one from nodejs.org or your system, then `npm ci && npm run build` again')
  process.exit(1)
}
const built = new URL('../dist/cli/main.js', import.meta.url)
if (!existsSync(built)) {
  console.error('geotrace is not built yet: run `npm run build` first')
  process.exit(1)
}
// A few files in the place of 1,300 halve the start of a node; what `tsc` alone has changed since is not in them.
const bundled = new URL('../dist/bundle/main.js', import.meta.url)
const changedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1
const builds = ['..', '../../client', '../../core-wasm'].map(
  (part) => new URL(`${part}/dist/.tsbuildinfo`, import.meta.url),
)
const isFresh = builds.every((build) => changedAt(bundled) >= changedAt(build))
const { main } = await import(existsSync(bundled) && isFresh ? bundled.href : built.href)
await main(process.argv.slice(2))
