/**
 * Types of tests, examples and app, lint and format, all at the same time. The build checks the types of the sources. A
 * second run is quick: tsc keeps its state in .tsbuildinfo/, and Biome checks only the files that changed since the last
 * clean run.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root, tool } from './setup.js'

const STATE = join(root, '.tsbuildinfo')
const STAMP = join(STATE, 'lint')
/** A change to one of these can change the result for every file. */
const SETTINGS = ['biome.json', 'package-lock.json', '.gitignore']

/** With `all` Biome checks every file. Ends this process with code 1 when a check fails. */
export async function lint({ all = false } = {}) {
  const startedAt = new Date()
  const files = all ? ['.'] : changedFiles()
  if (files.length === 0) {
    console.log('check: no file changed since the last clean run')
    return
  }
  const checks = [
    ['types of the tests', [tool('typescript', 'bin/tsc'), '-p', 'tsconfig.tests.json']],
    ['types of the app', [tool('typescript', 'bin/tsc'), '-p', 'client/app']],
    ['types of the console', [tool('typescript', 'bin/tsc'), '-p', 'node/console']],
    ['types of the native shell', [tool('typescript', 'bin/tsc'), '-p', 'client/native']],
    [
      'lint',
      [tool('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '--no-errors-on-unmatched', ...files],
    ],
  ]
  const results = await Promise.all(checks.map(([name, args]) => check(name, args)))
  const failed = results.filter((name) => name !== undefined)
  if (failed.length > 0) {
    console.error(`failed: ${failed.join(', ')}`)
    process.exit(1)
  }
  mkdirSync(STATE, { recursive: true })
  if (!existsSync(STAMP)) writeFileSync(STAMP, '')
  // The time of the start, so that a file that was saved during the run is checked next time.
  utimesSync(STAMP, startedAt, startedAt)
}

/** Runs one check and prints its output as a whole. Resolves with the name when the check fails. */
function check(name, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, FORCE_COLOR: colour() } })
    const output = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(output))
      resolve(code === 0 ? undefined : name)
    })
  })
}

/**
 * The files and folders that changed after the last clean run. A folder changes when a file in it is added, renamed or
 * deleted. Everything counts as changed when there was no clean run, when a setting changed, or without git.
 */
function changedFiles() {
  const since = changedAt(STAMP)
  if (SETTINGS.some((name) => changedAt(join(root, name)) >= since)) return ['.']
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  try {
    const names = execFileSync('git', list, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).split('\0')
    const paths = new Set(names.flatMap((name) => (name === '' ? [] : [name, ...foldersOf(name)])))
    return [...paths].filter((path) => changedAt(join(root, path)) >= since)
  } catch {
    return ['.']
  }
}

/** `a/b/c.ts` → `a/b`, `a` */
function foldersOf(name) {
  const folder = dirname(name)
  return folder === '.' ? [] : [folder, ...foldersOf(folder)]
}

/** When a file was last written; -1 when it does not exist. */
function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -1
}

function colour() {
  return process.stdout.isTTY ? '1' : '0'
}
