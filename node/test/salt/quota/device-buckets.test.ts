import { DAY_MS, FederationError, HOUR_MS, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { systemRandom } from '../../../src/platform/random.ts'
import { deviceBuckets, openDeviceBuckets } from '../../../src/salt/quota/device-buckets.ts'
import type { QuotaDisk } from '../../../src/salt/quota/quota-disk.ts'
import { tokenCheck } from '../../../src/tokens/token-check.ts'
import { errorCode } from '../../error-code.ts'
import { TOKENS, tokenFor } from '../../issuer.ts'

const DAY = 20_777
const START = DAY * DAY_MS + HOUR_MS
const REFILL_MS = 100_000

function memoryDisk() {
  const entries = new Map<string, [Uint8Array, Uint8Array]>()
  const name = (key: Uint8Array) => Buffer.from(key).toString('hex')
  const disk: QuotaDisk = {
    get: async (key) => entries.get(name(key))?.[1],
    put: async (items) => {
      for (const [key, value] of items) entries.set(name(key), [key, value])
    },
    delete: async (keys) => {
      for (const key of keys) entries.delete(name(key))
    },
    async *entries() {
      yield* [...entries.values()]
    },
    close: async () => {},
  }
  return { entries, disk }
}
const token = (day = DAY) => ({ day, name: systemRandom(16) })
const cost = (batch: number, epochs = 1) => ({ batch, epochs: Array.from({ length: epochs }, (_, i) => i) })

describe('the buckets of devices', () => {
  it('a token opens 432 evaluations, then 36 an hour, and 1,260 from the first to the last hour of its day', async () => {
    const buckets = await openDeviceBuckets(memoryDisk().disk, START)
    const one = token()
    let made = 0
    const spend = async (nowMs: number) => {
      while ((await errorCode(buckets.charge(one, cost(36), nowMs))) === 'OK') made += 36
    }
    await spend(START)
    expect(made).toBe(432)
    const refused = await buckets.charge(one, cost(36), START).catch((error: FederationError) => error)
    expect(refused).toMatchObject({ code: 'QUOTA_SPENT', data: { retryAfterMs: 36 * REFILL_MS } })
    for (let hour = 1; hour <= 23; hour++) await spend(START + hour * HOUR_MS)
    expect(made).toBe(432 + 23 * 36)
    // Another token has a bucket of its own.
    expect(await errorCode(buckets.charge(token(), cost(36, 5), START))).toBe('OK')
  })

  it('a token that is spent stays spent after a restart, and its bucket goes after its day', async () => {
    const { disk, entries } = memoryDisk()
    const one = token()
    const open = (nowMs: number) => openDeviceBuckets(disk, nowMs)
    await (await open(START)).charge(one, cost(36, 12), START)
    expect(await errorCode((await open(START)).charge(one, cost(12), START))).toBe('QUOTA_SPENT')
    await (await open((DAY + 1) * DAY_MS + 4 * MINUTE_MS)).sweep((DAY + 1) * DAY_MS + 4 * MINUTE_MS)
    expect(entries.size).toBe(1)
    await open((DAY + 1) * DAY_MS + 6 * MINUTE_MS)
    expect(entries.size).toBe(0)
  })

  it('a full table refuses new tokens and keeps the buckets that it has', async () => {
    const buckets = await openDeviceBuckets(memoryDisk().disk, START, 2)
    const known = [token(), token()]
    for (const item of known) await buckets.charge(item, cost(12), START)
    expect(await errorCode(buckets.charge(token(), cost(12), START))).toBe('TOKEN_REFUSED')
    expect(await errorCode(buckets.charge(known[0]!, cost(36, 12), START))).toBe('QUOTA_SPENT')
    await buckets.sweep(START + 2 * DAY_MS)
    expect(await errorCode(buckets.charge(token(DAY + 2), cost(12), START + 2 * DAY_MS))).toBe('OK')
  })

  it('a damaged entry counts as spent', async () => {
    const { disk, entries } = memoryDisk()
    const one = token()
    const buckets = await openDeviceBuckets(disk, START)
    await buckets.charge(one, cost(12), START)
    for (const [, value] of entries.values()) value[3]! ^= 1
    expect(await errorCode(buckets.charge(one, cost(12), START))).toBe('QUOTA_SPENT')
  })

  it('requests that race with one token spend its bucket once', async () => {
    const buckets = await openDeviceBuckets(memoryDisk().disk, START)
    const one = token()
    const codes = await Promise.all(Array.from({ length: 20 }, () => errorCode(buckets.charge(one, cost(36), START))))
    expect(codes.filter((code) => code === 'OK')).toHaveLength(12)
  })

  it('a node without tokens opens no table, and a table that does not open is tried again', async () => {
    let tries = 0
    const lazy = deviceBuckets(async () => {
      if (++tries === 1) throw new FederationError('STORAGE_FULL', 'full', { what: 'tokens' })
      return memoryDisk().disk
    })
    await lazy.sweep(START)
    await lazy.close()
    expect(tries).toBe(0)
    expect(await errorCode(lazy.charge(token(), cost(12), START))).toBe('STORAGE_FULL')
    expect(await errorCode(lazy.charge(token(), cost(12), START))).toBe('OK')
    await lazy.close()
  })
})

describe('the buckets of devices on a disk that fails', () => {
  it('a charge whose write failed takes no place, so that a full disk does not fill the table', async () => {
    const { disk } = memoryDisk()
    let isFull = true
    const put: QuotaDisk['put'] = async (entries) => {
      if (isFull) throw new FederationError('STORAGE_FULL', 'the disk is full', { what: 'quota table' })
      await disk.put(entries)
    }
    const buckets = await openDeviceBuckets({ ...disk, put }, START, 2)
    const [one, other, third] = [token(), token(), token()]
    for (let i = 0; i < 5; i++) expect(await errorCode(buckets.charge(one, cost(12), START))).toBe('STORAGE_FULL')
    isFull = false
    for (const item of [one, other]) expect(await errorCode(buckets.charge(item, cost(12), START))).toBe('OK')
    expect(await errorCode(buckets.charge(third, cost(12), START))).toBe('TOKEN_REFUSED')
  })
})

describe('the check of a token', () => {
  const [federation, node] = [systemRandom(32), systemRandom(32)]
  const check = tokenCheck({ kind: 'evaluation', federation, node, parameters: () => [TOKENS] })
  const code = (task: () => unknown) => errorCode(Promise.resolve().then(task))

  it('a token is good at its node on its day, and two minutes around it', async () => {
    const good = tokenFor(federation, node, DAY)
    const [from, to] = [DAY * DAY_MS - 2 * MINUTE_MS, (DAY + 1) * DAY_MS + 2 * MINUTE_MS]
    for (const nowMs of [from, START, to - 1]) expect(check(good, nowMs).day).toBe(DAY)
    for (const nowMs of [from - 1, to, START + DAY_MS])
      expect(await code(() => check(good, nowMs))).toBe('TOKEN_REFUSED')
    expect(check(good, START).name).toEqual(check(good, from).name)
    expect(check(good, START).name).not.toEqual(check(tokenFor(federation, node, DAY), START).name)
  })

  it('a token of another node, federation, day or issuer, a forged and a garbled one are refused', async () => {
    const good = tokenFor(federation, node, DAY)
    const bent = [0, 1, 2, 40, 70, 100, 200, 353].map((at) => good.map((byte, i) => (i === at ? byte ^ 1 : byte)))
    const others = [
      tokenFor(federation, systemRandom(32), DAY),
      tokenFor(systemRandom(32), node, DAY),
      tokenFor(federation, node, DAY + 1),
      systemRandom(354),
      ...bent,
    ]
    for (const other of others) expect(await code(() => check(other, START))).toBe('TOKEN_REFUSED')
    const elsewhere = tokenCheck({ kind: 'evaluation', federation, node, parameters: () => [] })
    expect(await code(() => elsewhere(good, START))).toBe('TOKEN_REFUSED')
    expect(await code(() => check(good, START))).toBe('OK')
  })
})
