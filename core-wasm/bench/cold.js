/**
 * The cold start of a phone that wakes up once an hour: a fresh process loads, compiles and hashes 36 fixes. The contenders
 * are bundled and minified, as by the build of an app. The clock starts in the process, before the first import.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { row } from './rounds.js'

const ROUNDS = 25
const STARTER = fileURLToPath(new URL('cold-start.js', import.meta.url))

export async function coldRows(progress) {
  const folder = mkdtempSync(join(tmpdir(), 'geotrace-cold-'))
  try {
    const best = {}
    const bundles = {}
    for (const name of ['ours', 'theirs', 'floor']) {
      bundles[name] = join(folder, name, `cold-${name}.js`)
      const bundle = await rolldown({
        input: fileURLToPath(new URL(`cold-${name}.js`, import.meta.url)),
        platform: 'node',
      })
      await bundle.write({ dir: join(folder, name), format: 'esm', minify: true })
      writeFileSync(join(folder, name, 'package.json'), '{ "type": "module" }')
      best[name] = Number.POSITIVE_INFINITY
    }
    for (let round = 0; round < ROUNDS; round++) {
      progress(`core: cold: round ${round + 1} of ${ROUNDS}`)
      for (const [name, bundle] of Object.entries(bundles)) {
        const { status, stdout, stderr } = spawnSync(process.execPath, [STARTER, bundle], { encoding: 'utf8' })
        if (status !== 0) throw new Error(stderr)
        best[name] = Math.min(best[name], Number(stdout))
      }
    }
    const name = 'cold: load, compile, 36 fixes → hashes'
    return [
      row(name, 'h3-js + @noble/hashes, bytes', best.ours, best.theirs),
      row(name, 'of it the module alone, compiled and not run', best.ours, best.floor),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}
