/** `npm test`: install, build, check, every test. Arguments go to Vitest. */
import { lint, run, setUp, tool } from './setup.js'

setUp()
lint()
run('tests', process.execPath, [tool('vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)])
