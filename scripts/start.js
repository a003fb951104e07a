/** `npm start`: installs, builds and runs the demo federation. Arguments go to `geotrace demo`. */
import { endWithNpm } from './end-with-npm.js'
import { setUp } from './setup.js'

endWithNpm()
setUp()
const { main } = await import('../node/dist/cli/main.js')
await main(['demo', ...process.argv.slice(2)])
