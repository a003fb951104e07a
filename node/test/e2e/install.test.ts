/** The three tarballs as developers and volunteers install them: in an empty project, and as a global command. */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const NPM = process.env.npm_execpath
const QUIET = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

const run = promisify(execFile)
/** npm names its own script when it runs us; started by hand, it is on the PATH. */
const npm = (cwd: string, ...args: string[]) =>
  NPM?.endsWith('.js') ? run(process.execPath, [NPM, ...args], { cwd }) : run('npm', args, { cwd })

describe('the tarballs of npm pack', () => {
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-install-'))
  const project = join(dir, 'project')
  const prefix = join(dir, 'global')
  let tarballs: string[] = []

  beforeAll(async () => {
    for (const made of [project, prefix]) mkdirSync(made)
    await npm(root, 'pack', '--workspaces', '--silent', '--pack-destination', dir)
    tarballs = readdirSync(dir)
      .filter((name) => name.endsWith('.tgz'))
      .map((name) => join(dir, name))
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
    await npm(project, 'install', ...QUIET, ...tarballs)
  }, 300_000)
  afterAll(() => rmSync(dir, { recursive: true }))

  it('three packages carry their sources, their types, a README and the licence', () => {
    expect(tarballs).toHaveLength(3)
    for (const name of ['core-wasm', 'node', 'client']) {
      const installed = join(project, 'node_modules', '@geotrace', name)
      for (const file of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']) {
        expect(existsSync(join(installed, file)), `${name}/${file}`).toBe(true)
      }
      expect(readFileSync(join(installed, 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'))
      const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
        exports: Record<string, string | Record<string, string>>
      }
      const targets = Object.values(exports).flatMap((target) =>
        typeof target === 'string' ? [target] : Object.values(target),
      )
      // The web app is shipped built: its sources stay in the repository.
      const files = targets.filter((target) => !target.includes('*') && !target.startsWith('./app/'))
      expect(files.length).toBeGreaterThan(0)
      expect(files.filter((file) => !existsSync(join(installed, file)))).toEqual([])
    }
    expect(existsSync(join(project, 'node_modules/@geotrace/client/app/dist/index.html'))).toBe(true)
  })

  it('the example of the core’s README runs in an empty project', async () => {
    const readme = readFileSync(join(project, 'node_modules/@geotrace/core-wasm/README.md'), 'utf8')
    const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
    expect(example).toContain("from '@geotrace/core-wasm'")
    writeFileSync(join(project, 'example.js'), `${example}\nconsole.log(points.count, hashes.length)\n`)
    const { stdout } = await run(process.execPath, ['example.js'], { cwd: project })
    const [points = 0, bytes] = stdout.trim().split(' ').map(Number)
    expect(points).toBeGreaterThan(30)
    expect(bytes).toBe(points * 12)
  })

  it('the quickstart of the client’s README compiles under strict types in an empty project', async () => {
    cpSync(join(root, 'client/examples/quickstart.ts'), join(project, 'quickstart.ts'))
    const compilerOptions = {
      ...{ target: 'ES2023', lib: ['ES2023', 'DOM'], module: 'NodeNext', strict: true, noEmit: true, types: [] },
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['quickstart.ts'] }))
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project])
  })

  it('the global command geotrace makes a node’s identity', { timeout: 300_000 }, async () => {
    await npm(dir, 'install', '--global', '--prefix', prefix, ...QUIET, ...tarballs)
    const bin = process.platform === 'win32' ? join(prefix, 'geotrace.cmd') : join(prefix, 'bin', 'geotrace')
    const { version } = JSON.parse(readFileSync(join(root, 'node/package.json'), 'utf8')) as { version: string }
    expect((await run(bin, ['--version'])).stdout.trim()).toBe(version)
    await run(bin, ['salt', 'init', '--dir', join(dir, 'salt')])
    expect(readdirSync(join(dir, 'salt')).sort()).toEqual(expect.arrayContaining(['operator.key', 'peer.key']))
  })
})
