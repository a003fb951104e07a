/**
 * `npm run bench -- central [--rows N]`: what the store of the central peer costs, and how that grows with its rows. CPU
 * time counts all threads of the process. Figures of small and large stores are medians of rounds that take turns.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock, systemClock } from '@geotrace/core-wasm'
import { Level } from 'level'
import { toCentralConfig } from '../dist/central/config.js'
import { riskEngine } from '../dist/central/risk/risk-engine.js'
import { sourceIndex } from '../dist/central/risk/source-index.js'
import { levelStore } from '../dist/central/store/level/level-store.js'
import { rowsToHashes } from '../dist/central/store/row-set.js'
import { valueSeal } from '../dist/central/store/sealed-value.js'
import { silent, systemRandom } from '../dist/index.js'
import {
  addPeople,
  addStrangers,
  DAYS,
  EPOCHS,
  FIRST_DAY,
  FIRST_EPOCH,
  inLanes,
  measured,
  median,
  sha,
  strangeRows,
  toDeposit,
} from './central-deposits.js'
import { syncRows } from './central-syncs.js'

const ROWS = 1_000_000
/** How much larger the large store is than the small one. */
const FACTOR = 10
const ROUNDS = 5
const INGEST_USERS = 2_000
/** Puts in one synced batch of the anchors. */
const BATCH = 64
const REPORTS = 10_000
/** Hashes that the index has of each report. */
const SOURCE_ROWS = 100
const SYNCS = 1_000
/** Active reports at a start. */
const ACTIVE = 100
const EPOCH_MS = 80 * 60_000
const NOW = (FIRST_EPOCH + DAYS * 18) * EPOCH_MS
const MANIFEST = { parameters: { retentionDays: 14 } }

export async function rows({ progress, rows = ROWS }) {
  const root = mkdtempSync(join(tmpdir(), 'geotrace-bench-'))
  try {
    return [
      ...(await ingestRows(root, progress)),
      ...(await reportRows(root, progress)),
      ...(await growthRows(root, rows, progress)),
      ...(await dropRows(root, rows, progress)),
      ...(await syncRows(progress)),
    ]
  } finally {
    rmSync(root, { recursive: true })
  }
}

const open = (dir) => levelStore({ dir, random: systemRandom, clock: systemClock() })
const ratioRow = (name, against, ours, theirs) => ({ name, against, ratio: ours / theirs, ours, theirs })

/** Deposits of 2,000 users in one hour, against the same bytes put as they are, and against a row for each hash. */
async function ingestRows(root, progress) {
  const dirs = { store: join(root, 'ingest'), raw: join(root, 'raw'), naive: join(root, 'naive') }
  const store = await open(dirs.store)
  const [raw, naive] = [await openRaw(dirs.raw), await openRaw(dirs.naive)]
  const users = await inLanes(
    Array.from({ length: INGEST_USERS }, (_, i) => i),
    (i) => store.addUser(sha(`user ${i}`), 1, FIRST_DAY),
  )
  const figures = { store: [], close: [], raw: [], naive: [] }
  let count = 0
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    progress(`central: deposits, round ${round} of ${ROUNDS} …`)
    const epochs = [0, 1, 2].map((i) => FIRST_EPOCH + 3 * round + i)
    const deposits = users.map((user) =>
      toDeposit(
        user,
        epochs.map((epoch) => ({ epoch, rows: strangeRows() })),
        FIRST_DAY,
      ),
    )
    count = deposits.length * epochs.length * 60
    const note = (name, figure) => round > 0 && figures[name].push(figure)
    note('store', await measured(() => inLanes(deposits, (deposit) => store.deposit(deposit))))
    note(
      'close',
      await measured(async () => {
        for (const epoch of epochs) await store.closeEpoch(epoch)
      }),
    )
    note('raw', await measured(() => putAll(raw, deposits.flatMap(toBlobs))))
    // The naive form costs so much that two rounds are enough.
    if (round < 3) note('naive', await measured(() => putAll(naive, deposits.flatMap(toNaive), BATCH * 180)))
  }
  await store.close()
  const kept = bytesOf(dirs.store)
  await raw.close()
  await naive.close()
  const us = (name) => median(figures[name].map((figure) => figure.us)) / count
  const bytes = (name) => median(figures[name].map((figure) => figure.bytes)) / count
  const written = [...figures.store, ...figures.close].reduce((sum, figure) => sum + figure.bytes, 0)
  return [
    ratioRow(
      'durable ingest (rows a CPU-ms)',
      'the same rows sealed, in batches of 64 puts',
      1e3 / us('store'),
      1e3 / us('raw'),
    ),
    ratioRow('pipeline (CPU µs a row)', 'naive rows with two indexes', us('store') + us('close'), us('naive')),
    ratioRow(
      'pipeline (bytes written a row)',
      'naive rows with two indexes',
      bytes('store') + bytes('close'),
      bytes('naive'),
    ),
    ratioRow('bytes written (MB)', 'bytes kept', written / 1e6, ((kept / 1e6) * ROUNDS) / (ROUNDS + 1)),
  ]
}

async function openRaw(dir) {
  const level = new Level(dir, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
    writeBufferSize: 8 << 20,
  })
  await level.open()
  return level
}

async function putAll(level, entries, size = BATCH) {
  for (let i = 0; i < entries.length; i += size) {
    const batch = level.batch()
    for (const [key, value] of entries.slice(i, i + size)) batch.put(key, value)
    await batch.write({ sync: true })
  }
}

const SEAL = valueSeal(systemRandom(32), systemRandom)

/** One sealed value for each epoch of a deposit. */
function toBlobs({ user, groups, syncId }) {
  return groups.map(({ epoch, rows }) => {
    const key = Buffer.concat([numbers(epoch, user), syncId])
    return [key, SEAL.seal(key, rows)]
  })
}

/** Two entries for each row: by hash and by user. */
function toNaive({ user, groups }) {
  return groups.flatMap(({ epoch, rows }) =>
    Array.from({ length: rows.length / 13 }, (_, i) => rows.subarray(13 * i, 13 * i + 13)).flatMap((row) => {
      const [hash, value] = [row.subarray(0, 12), row.subarray(12)]
      return [
        [Buffer.concat([Buffer.of(1), numbers(epoch), hash, numbers(user)]), value],
        [Buffer.concat([Buffer.of(2), numbers(user, epoch), hash]), value],
      ]
    }),
  )
}

function numbers(...values) {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i)
  return bytes
}

/** The deposit of a sync and the search for reports that it concerns, beside none and beside many. */
async function reportRows(root, progress) {
  const sides = []
  for (const reports of [0, REPORTS]) {
    progress(`central: ${reports} active reports …`)
    const store = await open(join(root, `reports-${reports}`))
    const index = sourceIndex()
    for (let report = 1; report <= reports; report++) {
      const watch = index.watch(report)
      watch.sources([1_000_000 + report])
      watch.hashes(rowsToHashes(strangeRows(SOURCE_ROWS)))
    }
    const names = Array.from({ length: SYNCS }, (_, i) => sha(`stranger ${i}`))
    const users = await inLanes(names, (name) => store.addUser(name, 1, FIRST_DAY))
    sides.push({ store, index, users, us: [] })
  }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const side of sides) {
      const deposits = side.users.map((user, i) =>
        toDeposit(
          user,
          [0, 1, 2].map((k) => ({ epoch: EPOCHS[(i + k) % EPOCHS.length], rows: strangeRows(2) })),
        ),
      )
      const { us } = await measured(() =>
        inLanes(deposits, async (deposit) => {
          await side.store.deposit(deposit)
          side.index.concerned(deposit.user, deposit.groups)
        }),
      )
      if (round > 0) side.us.push(us / SYNCS)
    }
  }
  for (const { store } of sides) await store.close()
  const [none, many] = sides.map(({ us }) => median(us))
  return [ratioRow(`sync beside ${REPORTS} active reports (CPU µs)`, 'beside none; nothing matches', many, none)]
}

function toEngine(store) {
  const config = toCentralConfig({}, MANIFEST)
  return riskEngine({ store, config, clock: simulatedClock(NOW), log: silent, stopwatch: () => 0 })
}

/** The same work in a small store and in one that is ten times as large. */
async function growthRows(root, rows, progress) {
  const sides = []
  for (const size of [rows / FACTOR, rows]) sides.push(await grownStore(join(root, `rows-${size}`), size, progress))
  const report = (degrees) => (side) => side.risk.dryRun(1, side.profile(degrees))
  const tasks = {
    'degree-1 report over 14 days': [report(1), forget],
    'degree-2 report over 14 days': [report(2), forget],
    'degree-2 report, computed again': [report(2)],
    'sync of a contact, marks computed': [contactSync, settle],
    'erasure of a user of 3 rows': [(side) => side.store.eraseUser(sha(`tiny ${side.tiny++}`), FIRST_DAY)],
  }
  const figures = Object.fromEntries(Object.keys(tasks).map((name) => [name, sides.map(() => [])]))
  for (let round = 0; round <= ROUNDS; round++) {
    progress(`central: growth, round ${round} of ${ROUNDS} …`)
    for (const [name, [task, prepare]] of Object.entries(tasks)) {
      for (const [i, side] of sides.entries()) {
        await prepare?.(side)
        const { us } = await measured(() => task(side))
        if (round > 0) figures[name][i].push(us)
      }
    }
  }
  const text = `${(rows / FACTOR).toExponential(0)} → ${rows.toExponential(0)} rows`
  const out = Object.entries(figures).map(([name, [small, large]]) =>
    ratioRow(`${name} (CPU ms)`, text, median(large) / 1e3, median(small) / 1e3),
  )
  out.push(await startRow(sides[1], join(root, 'empty')))
  for (const { store } of sides) await store.close()
  const kept = bytesOf(sides[1].dir)
  out.push(ratioRow('bytes written, 14 days (MB)', 'bytes kept', sides[1].written / 1e6, kept / 1e6))
  out.push({ name: 'store on disk (bytes a row)', against: text, ours: kept / rows })
  return out
}

async function grownStore(dir, size, progress) {
  const store = await open(dir)
  let people = []
  const filling = await measured(async () => {
    people = await addPeople(store)
    await addStrangers(store, size, progress)
    for (const epoch of EPOCHS) await store.closeEpoch(epoch)
  })
  for (let i = 0; i <= ROUNDS; i++) {
    const user = await store.addUser(sha(`tiny ${i}`), 1, FIRST_DAY)
    const groups = [11, 12, 13].map((day) => ({ epoch: FIRST_EPOCH + 18 * day + 9, rows: strangeRows(1) }))
    await store.deposit(toDeposit(user, groups))
  }
  const risk = toEngine(store)
  const id = await store.nextReport()
  const report = { id, user: people[0], at: NOW, from: FIRST_EPOCH, until: FIRST_EPOCH + 18 * DAYS, state: 'active' }
  await store.putReport(report)
  risk.add(report)
  await risk.settled()
  const profile = (degrees) => ({ ...toCentralConfig({}, MANIFEST).profile, degrees })
  return { dir, store, risk, people, profile, tiny: 0, written: filling.bytes }
}

/** Opens the store again with all its days, so that no row of an earlier report is in memory. */
async function forget(side) {
  await side.risk.stop()
  await side.store.close()
  side.store = await open(side.dir)
  for (const epoch of EPOCHS) for await (const _ of side.store.probe(epoch, new Uint8Array(0)));
  side.risk = toEngine(side.store)
}

/** All reports are computed, as those of a peer that runs for some time. */
async function settle(side) {
  await side.risk.start()
  await side.risk.settled()
}

async function contactSync({ store, risk, people }) {
  const deposit = toDeposit(people[1], [{ epoch: EPOCHS.at(-1), rows: strangeRows() }])
  await store.deposit(deposit)
  risk.deposited(people[1], deposit.groups)
  await risk.settled()
}

/** From the opening to the first stored deposit, beside active reports. Their computations come after that. */
async function startRow(side, empty) {
  await (await open(empty)).close()
  const figures = { full: [], empty: [] }
  for (let i = 0; i < ACTIVE; i++) {
    const [id, user] = [await side.store.nextReport(), side.people[i % side.people.length]]
    const dates = { at: NOW, from: FIRST_EPOCH, until: FIRST_EPOCH + 18 * DAYS }
    await side.store.putReport({ id, user, ...dates, state: 'active' })
  }
  await side.risk.stop()
  await side.store.close()
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, dir] of [
      ['full', side.dir],
      ['empty', empty],
    ]) {
      const { us } = await measured(async () => {
        const store = await open(dir)
        await toEngine(store).start()
        const user = await store.addUser(sha(`start ${round}`), 1, FIRST_DAY)
        await store.deposit(toDeposit(user, [{ epoch: EPOCHS.at(-1), rows: strangeRows(1) }]))
        await store.close()
      })
      if (round > 0) figures[name].push(us / 1e3)
    }
  }
  side.store = await open(side.dir)
  return ratioRow(
    `start beside ${ACTIVE} active reports, until a deposit is stored (CPU ms)`,
    'an empty store',
    median(figures.full),
    median(figures.empty),
  )
}

/** Retention of a day, against deleting the same bytes in one database. The day has a third of the rows. */
async function dropRows(root, rows, progress) {
  const figures = { drop: [], clear: [] }
  const count = rows / 500
  for (let round = 0; round < 3; round++) {
    progress(`central: dropping a day, round ${round + 1} of 3 …`)
    const [dir, rawDir] = [join(root, `drop-${round}`), join(root, `clear-${round}`)]
    const [store, raw] = [await open(dir), await openRaw(rawDir)]
    for (const day of [FIRST_DAY, FIRST_DAY + 1]) {
      const groups = (user) => [0, 1, 2].map((i) => ({ epoch: 18 * day + ((3 * user + i) % 18), rows: strangeRows() }))
      const deposits = Array.from({ length: count }, (_, user) =>
        toDeposit(
          user + 1,
          groups(user).sort((a, b) => a.epoch - b.epoch),
          day,
        ),
      )
      await inLanes(deposits, (deposit) => store.deposit(deposit))
      await putAll(raw, deposits.flatMap(toBlobs))
    }
    const range = { gte: numbers(18 * FIRST_DAY), lt: numbers(18 * (FIRST_DAY + 1)) }
    figures.drop.push((await measured(() => store.dropBefore(FIRST_DAY + 1))).us / 1e3)
    figures.clear.push(
      (
        await measured(async () => {
          await raw.clear(range)
          await raw.compactRange(range.gte, range.lt)
        })
      ).us / 1e3,
    )
    await store.close()
    await raw.close()
  }
  return [
    ratioRow(
      `dropping a day of ${count * 180} rows (CPU ms)`,
      'clear and compactRange',
      median(figures.drop),
      median(figures.clear),
    ),
  ]
}

function bytesOf(dir) {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .reduce((sum, item) => sum + statSync(join(item.parentPath, item.name)).size, 0)
}
