/** `npm start`: installs, builds and runs the demo federation. Arguments go to `geotrace demo`. */
import { endWithNpm } from './end-with-npm.js'
import { setUp } from './setup.js'

endWithNpm()
setUp()
const { run } = await import('../node/dist/cli/main.js')
await run(['demo', ...process.argv.slice(2)])
