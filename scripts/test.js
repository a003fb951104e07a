/** `npm test`: installs, builds, checks and runs all tests. Arguments go to Vitest. */
import { lint } from './lint.js'
import { run, setUp, tool } from './setup.js'

setUp()
await lint({ all: true })
run('tests', process.execPath, [tool('vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)])
