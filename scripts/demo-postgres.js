/**
 * The database server of `npm start -- --store postgres`, in a process of its own, so that the server outlives the peers of
 * the demo. It says its address to the parent, and ends with its files when the parent ends.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from './postgres.js'

const dir = mkdtempSync(join(tmpdir(), 'geotrace-postgres-'))
const password = randomBytes(16).toString('hex')
const server = await startPostgres({ dir, port: Number(process.argv[2]), password })
await server.createDatabase('geotrace')
process.on('disconnect', async () => {
  await server.stop()
  rmSync(dir, { recursive: true })
  process.exit()
})
process.send(server.toUrl('geotrace'))
