/**
 * Builds the last commit in clean clones: two folders, two time zones and languages, two values of NODE_ENV, Node 20 and
 * Node 24. Every file of the builds must be equal. `npm run test:slow -- verify/rebuilds` takes some ten minutes and gets Node 24 from the registry.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { differences } from '../../../src/cli/verify/file-tree.ts'
import { readBuilt, TREES } from '../../../src/cli/verify/release.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const OUTPUT_MAX_BYTES = 16 << 20
const execute = promisify(execFile)

/** The folder of Node 24, from the package that brings its binary, as in scripts/matrix.js. */
async function newerNode(folder: string): Promise<string> {
  await mkdir(folder)
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${platform}-${process.arch}@24`
  await execute('npm', ['pack', name, '--silent', '--pack-destination', folder])
  const [archive] = await readdir(folder)
  await execute('tar', ['-xzf', join(folder, archive!), '-C', folder])
  return join(folder, 'package', 'bin')
}

async function build(clone: string, bin: string, env: Readonly<Record<string, string>>) {
  const all = { ...process.env, ...env, PATH: `${bin}${delimiter}${process.env.PATH}` }
  const run = (command: string, args: readonly string[]) =>
    execute(command, args, { cwd: clone, env: all, maxBuffer: OUTPUT_MAX_BYTES })
  await mkdir(dirname(clone), { recursive: true })
  await execute('git', ['clone', '--quiet', '--', root, clone])
  await run('npm', ['ci', '--no-audit', '--no-fund'])
  await run('npm', ['run', 'build'])
  return { ...(await readBuilt(clone)), node: (await run('node', ['--version'])).stdout.trim() }
}

it('clean builds in two folders, two time zones and languages, with Node 20 and 24, are equal in every file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'geotrace-rebuilds-'))
  try {
    const here = await build(join(folder, 'a'), dirname(process.execPath), { TZ: 'UTC', LC_ALL: 'C', NODE_ENV: 'test' })
    const away = { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', NODE_ENV: 'development' }
    const there = await build(join(folder, 'deeper', 'folder', 'b'), await newerNode(join(folder, 'node')), away)
    expect([here.node, there.node].map((version) => version.split('.')[0])).toEqual(['v20', 'v24'])
    expect(there.lock).toBe(here.lock)
    const files = TREES.map((tree) => Object.keys(here.trees[tree]).length)
    for (const [i, tree] of TREES.entries()) {
      expect(files[i], tree).toBeGreaterThan(0)
      expect(differences(here.trees[tree], there.trees[tree]), tree).toEqual([])
    }
    process.stdout.write(`${files.reduce((sum, count) => sum + count, 0)} files are equal\n`)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}, 3_600_000)
