/**
 * `npm run native -- MANIFEST [PLATFORM…]` prepares the app for phones. client/native/README.md.
 * It copies the built web app and the manifest of the federation into `www` and adds the shell as the first script. For each
 * platform, `android` or `ios`, it installs Capacitor here and generates or updates the platform's project.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setUp } from '../../../scripts/setup.js'
import { makePages } from './pages.js'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const PLATFORMS = ['android', 'ios']
const [manifest, ...platforms] = process.argv.slice(2)
if (manifest === undefined || !existsSync(manifest) || platforms.some((name) => !PLATFORMS.includes(name))) {
  console.error(`Expected the file federation.json, and then any of ${PLATFORMS.join(', ')}:`)
  console.error('  npm run native -- federation.json android')
  process.exit(2)
}

setUp()
await makePages(join(here, 'www'), manifest)
for (const name of platforms) {
  if (!existsSync(join(here, 'node_modules'))) run('npm', ['install', '--no-audit', '--no-fund'])
  if (!existsSync(join(here, name))) run('npx', ['cap', 'add', name])
  run('npx', ['cap', 'sync', name])
}
console.log(`The pages are in ${join(here, 'www')}. The README beside it has the next steps.`)

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: here, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}
