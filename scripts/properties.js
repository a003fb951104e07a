/**
 * `npm run test:properties [-- ROUNDS]`: runs all property tests with other values than `npm test`, round after round, until
 * one fails. Then it names the seed: `PROPERTY_SEED=… npx vitest run FILE` repeats the failure.
 */
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, setUp, tool } from './setup.js'

const SEED_END = 2 ** 31
const rounds = Number(process.argv[2] ?? 10)
if (!Number.isSafeInteger(rounds) || rounds < 1) {
  console.error('properties: expected a number of rounds, such as: npm run test:properties -- 20')
  process.exit(2)
}

setUp()
const files = ['core-wasm', 'client', 'node'].flatMap((name) =>
  readdirSync(join(name, 'test'), { recursive: true, encoding: 'utf8' })
    .map((path) => join(name, 'test', path))
    // Slow tests draw their own values; simulations are repeated by their own scripts.
    .filter((path) => path.endsWith('.test.ts') && !/\.(slow|browser)\.test\.ts$|simulation/.test(path))
    .filter((path) => readFileSync(path, 'utf8').includes("from 'fast-check'")),
)
for (let round = 1; round <= rounds; round++) {
  const seed = randomInt(SEED_END)
  console.log(`properties: round ${round} of ${rounds}, ${files.length} files, PROPERTY_SEED=${seed}`)
  run('properties', process.execPath, [tool('vitest', 'vitest.mjs'), 'run', ...files], { PROPERTY_SEED: String(seed) })
}
