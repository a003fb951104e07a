/**
 * `npm run test:matrix -- [MAJOR…]`: computes the golden digest on other versions of Node (22 and 24 by default), whose
 * binaries come from npm. Both builds of the core must give the same digest on every version.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run, setUp } from './setup.js'

const majors = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24']
const platform = process.platform === 'win32' ? 'win' : process.platform
const golden = join(root, 'core-wasm', 'scripts', 'golden.js')

setUp()
run('golden digest', process.execPath, [golden])
for (const major of majors) {
  const folder = mkdtempSync(join(tmpdir(), `geotrace-node-${major}-`))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  run(`npm pack, Node ${major}`, 'npm', [
    ...['pack', `node-${platform}-${process.arch}@${major}`, '--silent', '--pack-destination', folder],
  ])
  run(`unpacking Node ${major}`, 'tar', ['-xzf', join(folder, readdirSync(folder)[0]), '-C', folder])
  run(`golden digest on Node ${major}`, join(folder, 'package', 'bin', 'node'), [golden])
}
