/** One database server for a file of tests (scripts/postgres.js). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasPostgres, serverPackage, startPostgres } from '../../../../../scripts/postgres.js'
import { freePort } from '../../../../src/local/loopback.ts'

/** Switches off all that only a crash of the machine would need. */
const QUICK = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
}

export interface TestServer {
  /** The addresses of an empty place for a store: in each of so many databases a schema. */
  createPlace(databases: number): Promise<string[]>
  /** Runs a statement as the administrator. */
  run(text: string, database?: string): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
  start(): Promise<void>
  remove(): Promise<void>
}

/** Whether the program of the server is here. A missing one skips its tests with a line that says so; in CI it is a failure. */
export function hasServer(): boolean {
  const isHere = hasPostgres()
  if (!isHere && process.env.CI) throw new Error(`CI needs ${serverPackage()}: npm ci`)
  if (!isHere) process.stderr.write(`SKIPPED: no ${serverPackage()} on this machine\n`)
  return isHere
}

/** `isDurable`: writes reach the disk as on a real server. */
export async function testServer({ isDurable = false } = {}): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'geotrace-postgres-'))
  const port = await freePort('127.0.0.1')
  const server = await startPostgres({ dir, port, password: 'test', settings: isDurable ? {} : QUICK })
  let [made, places] = [0, 0]
  return {
    async createPlace(databases) {
      // A schema in a known database costs a tenth of another database.
      for (; made < databases; made++) await server.createDatabase(`part_${made}`)
      const schema = `place_${++places}`
      const options = encodeURIComponent(`-c search_path=${schema}`)
      for (let i = 0; i < databases; i++) await server.run(`create schema ${schema}`, `part_${i}`)
      return Array.from({ length: databases }, (_, i) => `${server.toUrl(`part_${i}`)}?options=${options}`)
    },
    run: server.run,
    stop: server.stop,
    start: server.start,
    async remove() {
      await server.stop()
      await rm(dir, { recursive: true })
    },
  }
}
