/**
 * `npm run attack [-- NAME…] [--people N] [--json FILE]`: builds, bundles the attack lab from its sources and runs it. The lab
 * attacks real federations on loopback and prints a figure for each attack and setting.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, setUp } from './setup.js'

setUp()
// Below node/, so that the bundle finds the packages of the node.
const dir = join(root, 'node', 'build', 'attack')
const { rolldown } = await import('rolldown')
const made = await rolldown({
  input: { main: join(root, 'node', 'attack', 'main.ts') },
  platform: 'node',
  external: (id) => !/^[./]|^@geotrace\//.test(id),
  resolve: { conditionNames: ['source', 'node', 'import', 'module', 'default'] },
  logLevel: 'silent',
})
await made.write({ dir, format: 'esm', cleanDir: true })
await made.close()
run('the attacks', process.execPath, [join(dir, 'main.js'), ...process.argv.slice(2)])
rmSync(dir, { recursive: true, force: true })
