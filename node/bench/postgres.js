/**
 * `npm run bench -- central --store postgres`: the store of the central peer on one PostgreSQL server, against a table
 * with a row for each hash on the same server. CPU time is that of this process and of all processes of the server, on
 * Linux. Both write the same rows durably, 64 deposits in a transaction.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { hasPostgres, startPostgres } from '../../scripts/postgres.js'
import { postgresStore } from '../dist/central/store/postgres/postgres-store.js'
import { systemRandom } from '../dist/index.js'
import { freePort } from '../dist/local/loopback.js'
import { FIRST_DAY, FIRST_EPOCH, inLanes, median, sha, strangeRows, toDeposit } from './central-deposits.js'

const USERS = 2_000
const ROUNDS = 4
const BATCH = 64
const ROW_BYTES = 13
/** Clock ticks in a second, in which Linux counts CPU time. */
const TICKS = 100

export async function rows({ progress }) {
  if (!hasPostgres()) throw new Error('this benchmark needs the development dependencies: npm ci')
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-bench-'))
  const port = await freePort('127.0.0.1')
  const server = await startPostgres({ dir, port, password: 'bench', settings: { autovacuum: 'off' } })
  try {
    for (const name of ['store', 'naive']) await server.createDatabase(name)
    return await compare(server, dir, progress)
  } finally {
    await server.stop()
    rmSync(dir, { recursive: true })
  }
}

async function compare(server, dir, progress) {
  const [{ pid }] = await server.run("select split_part(pg_read_file('postmaster.pid'), chr(10), 1)::int as pid")
  const init = { urls: [server.toUrl('store')], keyPath: join(dir, 'keys'), random: systemRandom, clock: systemClock() }
  const store = await postgresStore(init)
  // The driver is CommonJS.
  const { Client } = createRequire(import.meta.url)('pg')
  const naive = new Client(server.toUrl('naive'))
  await naive.connect()
  await naive.query('create table hash (epoch int4, hash bytea, usr int8, meta int2, primary key (epoch, hash, usr))')
  const users = await inLanes(
    Array.from({ length: USERS }, (_, i) => i),
    (i) => store.addUser(sha(`user ${i}`), 1, FIRST_DAY),
  )
  const figures = { arrival: [], close: [], naive: [] }
  let count = 0
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    progress(`postgres: deposits, round ${round} of ${ROUNDS} …`)
    const epochs = [0, 1, 2].map((i) => FIRST_EPOCH + 3 * round + i)
    const deposits = users.map((user) =>
      toDeposit(
        user,
        epochs.map((epoch) => ({ epoch, rows: strangeRows() })),
        FIRST_DAY,
      ),
    )
    count = deposits.length * epochs.length * 60
    const note = async (name, task) => {
      const before = cpuSeconds(pid)
      await task()
      if (round > 0) figures[name].push(cpuSeconds(pid) - before)
    }
    await note('arrival', () => inLanes(deposits, (deposit) => store.deposit(deposit)))
    await note('close', async () => {
      for (const epoch of epochs) await store.closeEpoch(epoch)
    })
    await note('naive', async () => {
      for (let i = 0; i < deposits.length; i += BATCH) await putRows(naive, deposits.slice(i, i + BATCH))
    })
  }
  await store.close()
  await naive.end()
  const [arrival, close, theirs] = ['arrival', 'close', 'naive'].map((name) => count / median(figures[name]))
  const both = 1 / (1 / arrival + 1 / close)
  const against = 'a row for each hash, with its index'
  const row = (name, ours) => ({ name, against, ratio: ours / theirs, ours, theirs })
  return [row('postgres: arrival (rows a CPU-s)', arrival), row('postgres: arrival and close (rows a CPU-s)', both)]
}

async function putRows(client, deposits) {
  const groups = deposits.flatMap(({ user, groups: own }) =>
    own.map(({ epoch, rows: bytes }) => ({ user, epoch, bytes })),
  )
  const sizes = groups.map(({ bytes }) => bytes.length / ROW_BYTES)
  const spread = (pick) => groups.flatMap((group, i) => new Array(sizes[i]).fill(pick(group)))
  await client.query(
    `insert into hash select epoch, substring($1::bytea, (n - 1)::int4 * ${ROW_BYTES} + 1, 12), usr,
        get_byte($1::bytea, n::int4 * ${ROW_BYTES} - 1)
      from unnest($2::int4[], $3::int8[]) with ordinality as item(epoch, usr, n) on conflict do nothing`,
    [Buffer.concat(groups.map(({ bytes }) => bytes)), spread(({ epoch }) => epoch), spread(({ user }) => user)],
  )
}

/** The CPU seconds of this process, and of the server with its present and ended processes. */
function cpuSeconds(postmaster) {
  const { user, system } = process.cpuUsage()
  let ticks = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = readStat(pid)
    if (fields === undefined || (Number(pid) !== postmaster && Number(fields[1]) !== postmaster)) continue
    ticks += Number(fields[11]) + Number(fields[12])
    if (Number(pid) === postmaster) ticks += Number(fields[13]) + Number(fields[14])
  }
  return (user + system) / 1e6 + ticks / TICKS
}

/** The fields after the name of a process; undefined for one that has ended. */
function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
