/**
 * The first step of every entry script: installs the locked dependencies when the lockfile is newer than the last install,
 * and builds. Needs only Node and npm.
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

/** Runs a command in the root of the repository on this terminal. Ends this process with the same status when it fails. */
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

/** The path of a development tool's script, to be run by this Node. */
export function tool(name, file) {
  return join(root, 'node_modules', name, file)
}

function install() {
  const lock = join(root, 'package-lock.json')
  const done = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(lock).mtimeMs) return
  console.error('installing the locked dependencies …')
  // npm passes its own path to its scripts. A script that is run by hand finds npm on the PATH.
  const npm = process.env.npm_execpath
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  if (npm?.endsWith('.js')) run('npm ci', process.execPath, [npm, ...args])
  else run('npm ci', process.platform === 'win32' ? 'npm.cmd' : 'npm', args)
}

function assertNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  console.error(`Geo Trace needs Node ${OLDEST.join('.')} or newer; this is Node ${process.versions.node}.`)
  process.exit(1)
}
