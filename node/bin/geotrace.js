#!/usr/bin/env node
// npm links this file before the first build, so it is plain JavaScript that an old Node can run as well.
import { existsSync, statSync } from 'node:fs'

const OLDEST = [20, 19]
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(`geotrace needs Node ${OLDEST.join('.')} or newer; this is Node ${process.versions.node}.`)
  console.error('  → install a newer Node from nodejs.org or your system, then run `npm ci && npm run build` again')
  process.exit(1)
}
// Without a listener this signal opens Node's debugger, through which every user of the machine could read the seeds.
process.on('SIGUSR1', () => {})
const built = new URL('../dist/cli/main.js', import.meta.url)
if (!existsSync(built)) {
  console.error('geotrace is not built; run `npm run build` first')
  process.exit(1)
}
// The bundle replaces 1,300 files, which halves the start of a node. An older bundle lacks what `tsc` has built since.
const bundled = new URL('../dist/bundle/main.js', import.meta.url)
const changedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1
const builds = ['..', '../../client', '../../core-wasm'].map(
  (part) => new URL(`${part}/dist/.tsbuildinfo`, import.meta.url),
)
const isFresh = builds.every((build) => changedAt(bundled) >= changedAt(build))
const { run } = await import(existsSync(bundled) && isFresh ? bundled.href : built.href)
await run(process.argv.slice(2))
