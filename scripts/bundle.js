/**
 * The command `geotrace` in a few files: of the 2.9 s that a killed salt node took to answer again, half was Node looking
 * for and reading 1,300 modules (2026-11). Same sources, nothing minified, names kept for stacks.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, 'node', 'dist')
const dir = join(built, 'bundle')
const PARTS = ['core-wasm', 'client', 'node']

/** Does nothing when no part is newer than what there is. */
export async function bundle() {
  const newest = Math.max(
    ...[...PARTS.map((part) => join(root, part, 'dist')), join(root, 'package-lock.json')].flatMap(changedAt),
  )
  if (newest <= (statSync(join(dir, 'main.js'), { throwIfNoEntry: false })?.mtimeMs ?? -1)) return
  const { rolldown } = await import('rolldown')
  const made = await rolldown({
    // The watchdog is the program of a thread, hence a file of its own.
    input: { main: join(built, 'cli', 'main.js'), watchdog: join(built, 'cli', 'process', 'watchdog.js') },
    platform: 'node',
    // LevelDB looks for its native part beside itself.
    external: ['level'],
    logLevel: 'silent',
  })
  await made.write({ dir, format: 'esm', cleanDir: true })
  await made.close()
  process.stdout.write('build: bundle done\n')
}

/** When each file below was last written, the bundle's own apart. */
function changedAt(path) {
  if (path === dir) return []
  const stat = statSync(path)
  return stat.isDirectory() ? readdirSync(path).flatMap((name) => changedAt(join(path, name))) : [stat.mtimeMs]
}
