/**
 * Bundles the command `geotrace` into a few files. A killed salt node took 2.9 s to answer again, and Node spent half of that
 * time on finding and reading 1,300 modules (2026-11). The bundle is not minified, so stack traces keep their names.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, 'node', 'dist')
const dir = join(built, 'bundle')
const PARTS = ['core-wasm', 'client', 'node']

/** Does nothing when no part is newer than the bundle. */
export async function bundle() {
  const newest = Math.max(
    ...[...PARTS.map((part) => join(root, part, 'dist')), join(root, 'package-lock.json')].flatMap(changedAt),
  )
  if (newest <= (statSync(join(dir, 'main.js'), { throwIfNoEntry: false })?.mtimeMs ?? -1)) return
  const { rolldown } = await import('rolldown')
  const made = await rolldown({
    // The watchdog is the program of a worker thread, so it needs a file of its own.
    input: { main: join(built, 'cli', 'main.js'), watchdog: join(built, 'cli', 'process', 'watchdog.js') },
    platform: 'node',
    // LevelDB looks for its native module beside its own files.
    external: ['level'],
    logLevel: 'silent',
  })
  await made.write({ dir, format: 'esm', cleanDir: true })
  await made.close()
  process.stdout.write('build: bundle done\n')
}

/** When each file below a folder was last written, except those of the bundle. */
function changedAt(path) {
  if (path === dir) return []
  const stat = statSync(path)
  return stat.isDirectory() ? readdirSync(path).flatMap((name) => changedAt(join(path, name))) : [stat.mtimeMs]
}
