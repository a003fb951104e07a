/**
 * `geotrace verify build`: compares a built checkout, an installed package or a packed one with a release.
 * node/README.md "What runs". Exit code 1 when a file differs. Throws COMMAND_INVALID.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Command } from 'commander'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { askAgreed } from './agreed.ts'
import { type Difference, differences, readTree } from './file-tree.ts'
import { LOCKFILE, type Release, readBuilt, readRelease, releaseToId, TREES } from './release.ts'
import { report } from './report.ts'

const run = promisify(execFile)
/** A packed package has 1 MB. */
const PACKED_MAX_BYTES = 64 << 20
const UNPACKED_MAX_BYTES = 256 << 20
/** Output of `git` and `npm` that is kept for an error. */
const OUTPUT_MAX_BYTES = 16 << 20
/** The folder of a package in a checkout. */
const PACKAGES: Readonly<Record<string, string>> = {
  '@geotrace/core-wasm': 'core-wasm',
  '@geotrace/node': 'node',
  '@geotrace/client': 'client',
}

interface BuildOptions {
  clone?: string
  federation?: string
}

export function buildCommand(command: Command, out: Output): void {
  command
    .description('compare a build with a release: a checkout, a package folder, or a packed package')
    .argument('<release>', 'release.json')
    .argument('[path]', 'what to compare', '.')
    .option('--clone <repository>', 'clone the commit of the release, install, build and compare')
    .option('--federation <file>', 'ask whether the operators of this federation agreed on the release')
    .action(async (file: string, path: string, { clone, federation }: BuildOptions) => {
      const release = readRelease(file)
      const agreed = federation === undefined ? undefined : await askAgreed(readManifest(federation), out)
      const seen = clone === undefined ? await compare(release, resolve(path)) : await rebuild(release, clone, out)
      report(seen, { release: releaseToId(release), ...(agreed && { agreed }) }, out)
    })
  examples(command, 'geotrace verify build release.json', 'geotrace verify build release.json --clone .')
}

async function compare(release: Release, path: string): Promise<Difference[]> {
  const kind = statSync(path, { throwIfNoEntry: false })
  if (kind === undefined) return invalidCommand(`nothing is at ${path}`, 'name a checkout, a package folder or a .tgz')
  if (kind.isDirectory()) return compareFolder(release, path)
  return unpacked(path, (folder) => compareFolder(release, folder))
}

/** A folder is a checkout when it has the lockfile, or else one package. */
async function compareFolder(release: Release, folder: string): Promise<Difference[]> {
  if (existsSync(join(folder, LOCKFILE)) && existsSync(join(folder, 'core-wasm')))
    return compareCheckout(release, folder)
  const home = PACKAGES[packageName(folder)]
  if (home === undefined)
    return invalidCommand(
      `expected a checkout or a package of Geo Trace in ${folder}`,
      `name a folder with ${LOCKFILE}, or a folder such as node_modules/@geotrace/node`,
    )
  return comparePackage(release, home, folder)
}

/** `home`: the folder of the package in a checkout. */
export async function comparePackage(release: Release, home: string, folder: string): Promise<Difference[]> {
  const trees = TREES.filter((name) => name.startsWith(`${home}/`))
  const seen = trees.map(async (name) => {
    const inside = name.slice(home.length + 1)
    return within(inside, differences(release.trees[name], await readTree(join(folder, inside))))
  })
  return (await Promise.all(seen)).flat()
}

async function compareCheckout(release: Release, checkout: string): Promise<Difference[]> {
  const built = await readBuilt(checkout)
  const lock: Difference[] = built.lock === release.lock ? [] : [{ path: LOCKFILE, how: 'changed' }]
  return [...lock, ...TREES.flatMap((name) => within(name, differences(release.trees[name], built.trees[name])))]
}

/** Builds the commit of the release in a new folder. The person sees each step, because a build takes minutes. */
async function rebuild(release: Release, repository: string, out: Output): Promise<Difference[]> {
  const folder = await mkdtemp(join(tmpdir(), 'geotrace-build-'))
  const checkout = join(folder, 'clone')
  const step = async (what: string, command: string, args: readonly string[], cwd = checkout): Promise<void> => {
    out.note(`${what} …`)
    try {
      await run(command, args, { cwd, maxBuffer: OUTPUT_MAX_BYTES })
    } catch (error) {
      const { stderr = '', code } = error as { stderr?: string; code?: number | string }
      const said = stderr.trim().split('\n').at(-1)
      invalidCommand(
        `${what} failed (${code}): ${said}`,
        `run \`${[command, ...args].join(' ')}\` by hand to see the rest`,
      )
    }
  }
  try {
    const source = existsSync(repository) ? resolve(repository) : repository
    await step('cloning the repository', 'git', ['clone', '--quiet', '--no-checkout', '--', source, checkout], folder)
    await step('checking out the commit', 'git', ['checkout', '--quiet', '--detach', release.commit])
    await step('installing the locked dependencies', 'npm', ['ci', '--no-audit', '--no-fund'])
    await step('building', 'npm', ['run', 'build'])
    return await compareCheckout(release, checkout)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Unpacks a package into a folder of its own. An archive that unpacks to more than 256 MiB is refused. */
async function unpacked<T>(file: string, task: (folder: string) => Promise<T>): Promise<T> {
  const next = 'name a package that `npm pack` made'
  if ((await stat(file)).size > PACKED_MAX_BYTES) invalidCommand(`${file} is larger than a package`, next)
  const archive = await promisify(gunzip)(await readFile(file), { maxOutputLength: UNPACKED_MAX_BYTES }).catch(() =>
    invalidCommand(`expected a packed package, got ${basename(file)}`, next),
  )
  const folder = await mkdtemp(join(tmpdir(), 'geotrace-package-'))
  try {
    const [plain, target] = [join(folder, 'package.tar'), join(folder, 'files')]
    await writeFile(plain, archive)
    await mkdir(target)
    await run('tar', ['-xf', plain, '-C', target]).catch(() =>
      invalidCommand(`tar cannot read ${basename(file)}`, next),
    )
    return await task(join(target, 'package'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function packageName(folder: string): string {
  try {
    return String(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name)
  } catch {
    return ''
  }
}

function within(folder: string, found: readonly Difference[]): Difference[] {
  return found.map((item) => ({ ...item, path: `${folder}/${item.path}` }))
}
