/** Rows and deposits for the benchmark of the central store: nine people who meet, and strangers beside them. */

import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rowsToBytes } from '@geotrace/core-wasm/wire'

export const DAYS = 14
export const FIRST_DAY = 20_000
const EPOCHS_PER_DAY = 18
export const FIRST_EPOCH = FIRST_DAY * EPOCHS_PER_DAY
const ROWS_PER_EPOCH = 60
/** Epochs of a day in which people are out: a deposit has three of them. */
const [FIRST_OUT, LAST_OUT] = [5, 16]
const EPOCHS_PER_SYNC = 3
const SIZES = [5, 5, 5, 5, 10, 10, 20, 40, 80]
/** Deposits at the same time, as a busy peer has them. */
const AT_ONCE = 256

/** The epochs in which everybody has rows, ascending. */
export const EPOCHS = Array.from({ length: DAYS }, (_, day) =>
  Array.from({ length: LAST_OUT - FIRST_OUT + 1 }, (_, i) => FIRST_EPOCH + day * EPOCHS_PER_DAY + FIRST_OUT + i),
).flat()
const ROWS_PER_USER = EPOCHS.length * ROWS_PER_EPOCH

export const sha = (text) => new Uint8Array(createHash('sha256').update(text).digest())
const toBytes = (rows) => rowsToBytes(rows.sort((a, b) => Buffer.compare(a.hash, b.hash)))

/** Rows as bytes: n × (hash 12 ‖ meta u8). */
export const strangeRows = (count = ROWS_PER_EPOCH) => toBytes(strangers(count))

function strangers(count) {
  const bytes = randomBytes(count * 12)
  return Array.from({ length: count }, (_, i) => ({
    hash: new Uint8Array(bytes.subarray(i * 12, i * 12 + 12)),
    size: SIZES[i % SIZES.length],
    lags: i % 3 === 0 ? 3 : 1 + (i & 1),
  }))
}

let syncs = 0
export function toDeposit(user, groups, day = FIRST_DAY + DAYS - 1) {
  const name = `sync ${syncs++}`
  const [syncId, digest] = [sha(name).subarray(0, 16), sha(`content of ${name}`)]
  return { user, syncId, digest, basis: Uint8Array.of(0), day, since: day, perDay: 1e6, groups }
}

/** Puts reporter 0, contacts 1 to 4 and their contacts 5 to 8 into the store; returns their numbers. */
export async function addPeople(store) {
  const people = []
  for (let i = 0; i < 9; i++) people.push(await store.addUser(sha(`person ${i}`), 1, FIRST_DAY))
  const shared = (pair, k) =>
    Array.from({ length: 6 }, (_, j) => ({ hash: sha(`${pair}/${k}/${j}`).subarray(0, 12), size: 5, lags: 3 }))
  for (const [i, user] of people.entries()) {
    const groups = EPOCHS.map((epoch, k) => {
      const rows = strangers(ROWS_PER_EPOCH - 24)
      if (i === 0)
        for (let contact = 1; contact <= 4; contact++) if (k % 8 === contact) rows.push(...shared(contact, k))
      if (i >= 1 && i <= 4 && k % 8 === i) rows.push(...shared(i, k))
      if (i >= 1 && i <= 4 && k % 8 === 5) rows.push(...shared(i + 4, k))
      if (i >= 5 && k % 8 === 5) rows.push(...shared(i, k))
      return { epoch, rows: toBytes(rows) }
    })
    for (let k = 0; k < groups.length; k += EPOCHS_PER_SYNC)
      await store.deposit(toDeposit(user, groups.slice(k, k + EPOCHS_PER_SYNC)))
  }
  return people
}

/** Adds strangers in the order of days, as deposits arrive, until the store has about `rows` rows. */
export async function addStrangers(store, rows, progress) {
  const users = Array.from({ length: Math.max(1, Math.round(rows / ROWS_PER_USER)) }, (_, i) => i)
  const numbers = await inLanes(users, (i) => store.addUser(sha(`stranger ${i}`), 1, FIRST_DAY))
  for (let k = 0; k < EPOCHS.length; k += EPOCHS_PER_SYNC) {
    if (k % 12 === 0) progress(`central: ${users.length} strangers, day ${k / 12 + 1} of ${DAYS} …`)
    const day = Math.floor(EPOCHS[k] / EPOCHS_PER_DAY)
    await inLanes(numbers, (user) => {
      const groups = EPOCHS.slice(k, k + EPOCHS_PER_SYNC).map((epoch) => ({ epoch, rows: strangeRows() }))
      return store.deposit(toDeposit(user, groups, day))
    })
  }
  return numbers
}

/** Runs a task for each item, many at the same time; returns the results in the order of the items. */
export async function inLanes(items, task, lanes = AT_ONCE) {
  const results = new Array(items.length)
  let next = 0
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < items.length) {
        const i = next++
        results[i] = await task(items[i])
      }
    }),
  )
  return results
}

/** CPU time of the process in µs, all threads, and the bytes that it wrote. */
export async function measured(task) {
  const [bytes, before] = [writtenBytes(), process.cpuUsage()]
  await task()
  const { user, system } = process.cpuUsage(before)
  return { us: user + system, bytes: writtenBytes() - bytes }
}

function writtenBytes() {
  return Number(/wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}
