/**
 * `npm run release [-- FOLDER]` builds this commit in a clean clone. node/README.md "What runs".
 * It writes `release.json` with the hash of every file, and `sbom.json` with every package that the build uses (CycloneDX).
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, setUp } from './setup.js'

const SBOM_MAX_BYTES = 64 << 20
const folder = resolve(process.argv[2] ?? join(root, 'release'))

setUp()
const { readBuilt, releaseToId } = await import(
  pathToFileURL(join(root, 'node', 'dist', 'cli', 'verify', 'release.js'))
)
const work = mkdtempSync(join(tmpdir(), 'geotrace-release-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
const clone = join(work, 'clone')
const commit = say('git', ['rev-parse', 'HEAD'], root).trim()
if (say('git', ['status', '--porcelain'], root).trim() !== '')
  console.error('release: some files of this checkout are not committed; the release has the commit without them')
say('git', ['clone', '--quiet', '--', root, clone], work)
say('git', ['checkout', '--quiet', '--detach', commit], clone)
step('installing the locked dependencies', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
step('building', 'npm', ['run', 'build'])
const release = { version: 1, commit, node: process.versions.node, ...(await readBuilt(clone)) }
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'release.json'), `${JSON.stringify(release, null, 2)}\n`)
writeFileSync(join(folder, 'sbom.json'), say('npm', ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev'], clone))
console.log(`release ${releaseToId(release)} of commit ${commit} is in ${folder}`)

function step(what, command, args) {
  console.error(`release: ${what} …`)
  say(command, args, clone)
}

/** The output of a command. Ends this process when the command fails. */
function say(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: SBOM_MAX_BYTES,
    shell: process.platform === 'win32',
  })
  if (status === 0) return stdout
  console.error(`release: ${command} ${args.join(' ')} failed\n${error?.message ?? stderr}`)
  process.exit(1)
}
