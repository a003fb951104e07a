/**
 * `npm run build`: compiles the core's Wasm modules and embeds them, compiles every package (tsc -b), bundles `geotrace`, and
 * builds the web app and the console (Vite). Each step runs only when its sources have changed.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { embed, MODULES } from '../core-wasm/scripts/embed.js'
import { bundle } from './bundle.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const assembly = join(root, 'core-wasm', 'assembly')

const sources = [packageFile('assemblyscript'), ...filesOf(assembly)]
for (const [target, config] of Object.entries(MODULES)) {
  const newest = Math.max(...[join(root, config), ...sources].map(changedAt))
  if (changedAt(join(root, 'core-wasm', 'build', `${target}.wasm`)) >= newest) continue
  step(`core ${target}`, packageBin('assemblyscript', 'asc'), '--config', config, '--target', target)
}
const strip = join(root, 'core-wasm', 'scripts', 'ristretto.js')
const group = join(root, 'core-wasm', 'build', 'ristretto.wasm')
if (
  changedAt(group) < Math.max(...['assemblyscript', 'libsodium-sumo'].map(packageFile).concat(strip).map(changedAt))
) {
  step('core ristretto', strip)
}
embed()
step('types', packageBin('typescript', 'tsc'), '-b')
await bundle()
const app = join(root, 'client', 'app')
const page = [join(root, 'package-lock.json'), join(root, 'scripts', 'web-page.ts')]
const parts = [join(root, 'client', 'src'), join(root, 'core-wasm', 'src'), app, ...page]
if (changedAt(join(app, 'dist', 'index.html')) < Math.max(...parts.flatMap(filesOf).map(changedAt))) {
  step('web app', packageBin('vite', 'vite'), 'build', app, '--logLevel', 'warn')
}

const office = join(root, 'node', 'console')
// The console imports only types of the node, and the colours of the app.
const officeParts = [office, join(app, 'src', 'styles', 'palette.css'), ...page]
if (changedAt(join(office, 'dist', 'index.html')) < Math.max(...officeParts.flatMap(filesOf).map(changedAt))) {
  step('console', packageBin('vite', 'vite'), 'build', office, '--logLevel', 'warn')
}

/** Runs a script of a package. Ends this process with the same code when the script fails. */
function step(name, script, ...args) {
  const started = process.hrtime.bigint()
  // With another NODE_ENV of the shell, Vite would write another page, with the paths of this folder in it.
  const env = { ...process.env, NODE_ENV: 'production' }
  const { status, signal, error } = spawnSync(process.execPath, [script, ...args], { cwd: root, env, stdio: 'inherit' })
  if (error) throw error
  const seconds = (Number(process.hrtime.bigint() - started) / 1e9).toFixed(1)
  process.stdout.write(`build: ${name} ${status === 0 ? 'done' : `failed (${signal ?? status})`} in ${seconds} s\n`)
  if (status !== 0) process.exit(status ?? 1)
}

/** A file, or all files below a folder except those in `dist` folders. */
function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((name) => (name === 'dist' ? [] : filesOf(join(path, name))))
}

/** When a file was last written; -1 when the file does not exist. */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -1
}

function packageFile(name) {
  return join(root, 'node_modules', name, 'package.json')
}

function packageBin(name, bin) {
  const file = packageFile(name)
  const declared = require(file).bin
  return join(dirname(file), typeof declared === 'string' ? declared : declared[bin])
}
