/**
 * `npm start`: installs, builds and runs the demo federation. Arguments go to `geotrace demo`. `--store postgres` keeps the
 * deposits on a PostgreSQL server that comes with the development dependencies, `--store postgres://…` on one of yours.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { endWithNpm } from './end-with-npm.js'
import { root, setUp } from './setup.js'

endWithNpm()
setUp()
const args = process.argv.slice(2)
const at = args.indexOf('--store')
const store = at < 0 ? undefined : args.splice(at, 2)[1]
const database = store === 'postgres' ? await startDatabase() : undefined
// The central peer of the demo is a process that reads this.
if (store !== undefined && store !== 'postgres') process.env.GEOTRACE_STORE = store
const { run } = await import('../node/dist/cli/main.js')
await run(['demo', ...args])
database?.disconnect()

async function startDatabase() {
  const { hasPostgres, serverPackage } = await import('./postgres.js')
  if (!hasPostgres()) {
    console.error(`--store postgres needs ${serverPackage()}: run npm ci, or give the address of a server of yours`)
    process.exit(2)
  }
  const { freePort } = await import('../node/dist/local/loopback.js')
  // Apart from the signals of the terminal, because the peers end before their database.
  const child = fork(join(root, 'scripts/demo-postgres.js'), [String(await freePort('127.0.0.1'))], { detached: true })
  const [address] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('the database server did not start')
    }),
  ])
  process.env.GEOTRACE_STORE = address
  return child
}
