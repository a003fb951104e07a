/**
 * What every entry script does first: installs the locked dependencies when the lockfile is newer than
 * the last install, and builds. Needs nothing but Node and npm.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const OLDEST = [20, 19]

export function setUp() {
  assertNode()
  install()
  run('build', process.execPath, ['scripts/build.js'])
}

/** Runs a command in the root with our terminal; ends the process with its status when it fails. */
export function run(what, command, args, env = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: command.endsWith('.cmd'),
  })
  if (status === 0) return
  console.error(`${what} failed${error ? `: ${error.message}` : signal ? ` (${signal})` : ''}`)
  process.exit(status ?? 1)
}

/** The script of a development tool, to be run by this very Node. */
export function tool(name, file) {
  return join(root, 'node_modules', name, file)
}

/** Lint and format, and the types of tests and examples (the sources' are checked by the build). */
export function lint() {
  run('types', process.execPath, [tool('typescript', 'bin/tsc'), '-p', 'tsconfig.tests.json'])
  run('types of the app', process.execPath, [tool('typescript', 'bin/tsc'), '-p', 'client/app'])
  run('lint', process.execPath, [tool('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '.'])
}

function install() {
  const lock = join(root, 'package-lock.json')
  const done = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs) return
  console.error('installing the locked dependencies …')
  // npm tells its scripts where it lives; run by hand, it is on the PATH.
  const npm = process.env.npm_execpath
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  if (npm?.endsWith('.js')) run('npm ci', process.execPath, [npm, ...args])
  else run('npm ci', process.platform === 'win32' ? 'npm.cmd' : 'npm', args)
}

function assertNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  console.error(`Geo Trace needs Node ${OLDEST.join('.')} or newer; this is ${process.versions.node}`)
  process.exit(1)
}
