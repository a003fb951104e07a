/** `npm start`: from a fresh clone to the running demo federation, in this one process and its peers. */
import { setUp } from './setup.js'

setUp()
const { main } = await import('../node/dist/cli/main.js')
await main(['demo', ...process.argv.slice(2)])
