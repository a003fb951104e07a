import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isFederationError, MINUTE_MS, SALT_WINDOW_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import { Level } from 'level'
import { afterEach, describe, expect, it } from 'vitest'
import { addressToRequester } from '../../../src/net/guard/requester.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import {
  DEVICE_EVALUATIONS,
  type EvaluationQuestion,
  evaluationQuota,
  type QuotaRequester,
  type SaltQuestion,
  saltQuota,
} from '../../../src/salt/quota/quota.ts'
import { levelQuotaDisk } from '../../../src/salt/quota/quota-disk.ts'
import { openQuotaTable, type QuotaTable } from '../../../src/salt/quota/quota-table.ts'
import { Stage } from '../federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const EPOCH = Math.floor(NOW / 4_800_000)
const ALL = 2 ** 31 - 1
const stage = new Stage()
const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const table of open.splice(0)) await table.close()
  await stage.end()
})

const quotaKey = systemRandom(32)
async function table(dir: string, entriesMax?: number): Promise<QuotaTable<SaltQuestion>> {
  const made = await openQuotaTable(await levelQuotaDisk(dir), saltQuota('rolling'), NOW, entriesMax)
  open.push(made)
  return made
}
function charge(address: string, salts = 90, shard = 1, firstEpoch = EPOCH) {
  const digest = new Uint8Array(32)
  const { subnet, prefix, fence } = addressToRequester(address) as QuotaRequester
  const masks = new Map<number, number>()
  for (let left = salts, epoch = firstEpoch; left > 0; left -= 31, epoch++)
    masks.set(epoch, left >= 31 ? ALL : 2 ** left - 1)
  return { quotaKey, shard, subnet, prefix, fence, masks, digest }
}
async function refusal(task: Promise<unknown>): Promise<string> {
  return await task.then(
    () => 'granted',
    (error: unknown) => (isFederationError(error) ? error.code : String(error)),
  )
}

describe('the quota table', () => {
  it('all addresses of an IPv6 /56 are one requester, and the next /56 is another', async () => {
    const quota = await table(await stage.dir())
    await quota.charge(charge('/ip6/2001:db8:0:1200::1/tcp/1'), NOW)
    expect(await refusal(quota.charge(charge('/ip6/2001:db8:0:12ff:9::7/tcp/9', 91), NOW))).toBe('QUOTA_SPENT')
    expect(await refusal(quota.charge(charge('/ip6/2001:db8:0:1300::1/tcp/1'), NOW))).toBe('granted')
    expect(await refusal(quota.charge(charge('/ip6/2001:db8:0:1200::1/tcp/1', 90, 2), NOW))).toBe('granted')
  })

  it('a spent quota refills after the clock was set back by a day, and gains nothing by it', async () => {
    const quota = await table(await stage.dir())
    const before = NOW + 24 * 60 * MINUTE_MS
    await quota.charge(charge('/ip4/192.0.2.1/tcp/1'), before)
    const more = () => charge('/ip4/192.0.2.1/tcp/1', 1, 1, EPOCH + 4)
    expect(await refusal(quota.charge(more(), NOW))).toBe('QUOTA_SPENT')
    expect(await refusal(quota.charge(more(), NOW + MINUTE_MS))).toBe('QUOTA_SPENT')
    expect(await refusal(quota.charge(more(), NOW + 3 * MINUTE_MS))).toBe('granted')
    expect(await refusal(quota.charge(charge('/ip4/192.0.2.1/tcp/1', 2, 1, EPOCH + 8), NOW + 3 * MINUTE_MS))).toBe(
      'QUOTA_SPENT',
    )
  })

  it('the ninth /56 of an IPv6 /48 is refused when each spends a full quota on other salts', async () => {
    const quota = await table(await stage.dir())
    const answers = []
    for (let i = 0; i < 9; i++) {
      const address = `/ip6/2001:db8:0:${(i * 256).toString(16)}::1/tcp/1`
      answers.push(await refusal(quota.charge(charge(address, 90, 1, EPOCH + 3 * i), NOW)))
    }
    expect(answers).toEqual([...Array(8).fill('granted'), 'QUOTA_SPENT'])
    expect(await refusal(quota.charge(charge('/ip6/2001:db8:1::1/tcp/1'), NOW))).toBe('granted')
  })

  it('all 256 /56 of an IPv6 /48 get the same salts, under both quotas', async () => {
    for (const name of ['rolling', 'strict'] as const) {
      const quota = await openQuotaTable(await levelQuotaDisk(await stage.dir()), saltQuota(name), NOW)
      open.push(quota)
      const answers = new Set<string>()
      for (let i = 0; i < 256; i++) {
        const address = `/ip6/2001:db8:0:${(i * 256).toString(16)}::1/tcp/1`
        answers.add(await refusal(quota.charge(charge(address, 36), NOW)))
      }
      expect([...answers]).toEqual(['granted'])
      expect(quota.size).toBe(257)
    }
  })

  it('two concurrent requests of one requester share one quota', async () => {
    const quota = await table(await stage.dir())
    const one = charge('/ip4/203.0.113.7/tcp/1', 60)
    const other = {
      ...one,
      masks: new Map([
        [EPOCH + 2, ALL],
        [EPOCH + 3, ALL],
      ]),
    }
    expect((await Promise.all([one, other].map((item) => refusal(quota.charge(item, NOW))))).sort()).toEqual([
      'QUOTA_SPENT',
      'granted',
    ])
  })

  it('the table keeps quotas across a restart, and a new quota key starts a new quota', async () => {
    const dir = await stage.dir()
    const first = await table(dir)
    await first.charge(charge('/ip4/203.0.113.7/tcp/1'), NOW)
    await first.close()
    const second = await table(dir)
    expect(second.size).toBe(1)
    const more = charge('/ip4/203.0.113.7/tcp/1', 91)
    expect(await refusal(second.charge(more, NOW))).toBe('QUOTA_SPENT')
    expect(await refusal(second.charge({ ...charge('/ip4/203.0.113.7/tcp/1'), quotaKey: systemRandom(32) }, NOW))).toBe(
      'granted',
    )
  })

  it('the files of the table contain no address, neither as text nor as bytes, and no quota key', async () => {
    const dir = await stage.dir()
    const quota = await table(dir)
    for (let i = 0; i < 200; i++) await quota.charge(charge(`/ip4/203.0.113.${i}/tcp/1`, 1), NOW)
    await quota.charge(charge('/ip6/2001:db8:77:1200::1/tcp/1', 1), NOW)
    await quota.close()
    const files = await Promise.all((await readdir(dir)).map((name) => readFile(join(dir, name))))
    const bytes = Buffer.concat(files)
    // The files are large enough to hold the entries, so the search covers them.
    expect(bytes.length).toBeGreaterThan(200 * 32)
    for (const needle of ['203.0.113', '2001:db8:77', '4:203', '6:2001']) expect(bytes.includes(needle)).toBe(false)
    for (let i = 0; i < 200; i++) expect(bytes.includes(Buffer.of(203, 0, 113, i))).toBe(false)
    expect(bytes.includes(Buffer.of(0x20, 0x01, 0x0d, 0xb8, 0, 0x77))).toBe(false)
    expect(bytes.includes(Buffer.from(quotaKey))).toBe(false)
  })

  it('a full table serves a newcomer and drops entries of the /16 that has most', async () => {
    const quota = await table(await stage.dir(), 6)
    await quota.charge(charge('/ip4/198.51.100.1/tcp/1'), NOW)
    for (let i = 0; i < 20; i++) {
      expect(await refusal(quota.charge(charge(`/ip4/203.0.113.${i}/tcp/1`), NOW))).toBe('granted')
      expect(quota.size).toBeLessThanOrEqual(6)
    }
    // The /16 with one entry keeps it.
    expect(await refusal(quota.charge(charge('/ip4/198.51.100.1/tcp/1', 91), NOW))).toBe('QUOTA_SPENT')
    expect(await refusal(quota.charge(charge('/ip4/192.0.2.1/tcp/1'), NOW))).toBe('granted')
  })

  it('a full table knows the largest network after a restart too', async () => {
    const dir = await stage.dir()
    const first = await table(dir, 9)
    for (let i = 0; i < 8; i++) await first.charge(charge(`/ip6/2001:db8:${i}::1/tcp/1`), NOW)
    await first.charge(charge('/ip4/198.51.100.1/tcp/1'), NOW)
    await first.close()
    const second = await table(dir, 9)
    for (let i = 0; i < 8; i++) {
      expect(await refusal(second.charge(charge(`/ip4/192.${i}.2.1/tcp/1`), NOW))).toBe('granted')
    }
    expect(await refusal(second.charge(charge('/ip4/198.51.100.1/tcp/1', 91), NOW))).toBe('QUOTA_SPENT')
    expect(second.size).toBeLessThanOrEqual(9)
  })

  it('a sweep removes expired entries', async () => {
    const quota = await table(await stage.dir())
    for (let i = 0; i < 3; i++) await quota.charge(charge(`/ip4/203.0.113.${i}/tcp/1`, 10), NOW)
    await quota.sweep(NOW + SALT_WINDOW_MS - MINUTE_MS)
    expect(quota.size).toBe(3)
    await quota.sweep(NOW + SALT_WINDOW_MS)
    expect(quota.size).toBe(0)
  })

  it('a damaged entry counts as fully spent for three hours', async () => {
    const dir = await stage.dir()
    const quota = await table(dir)
    await quota.charge(charge('/ip4/203.0.113.7/tcp/1', 1), NOW)
    await quota.close()
    const raw = new Level<Uint8Array, Uint8Array>(dir, { keyEncoding: 'view', valueEncoding: 'view' })
    for await (const [key, value] of raw.iterator())
      await raw.put(
        key,
        value.map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
      )
    await raw.close()
    const again = await table(dir)
    expect(await refusal(again.charge(charge('/ip4/203.0.113.7/tcp/1', 1), NOW))).toBe('QUOTA_SPENT')
    expect(await refusal(again.charge(charge('/ip4/203.0.113.7/tcp/1', 1), NOW + SALT_WINDOW_MS))).toBe('granted')
  })
})

describe('the quota table of evaluations', () => {
  const HOUR_MS = 60 * MINUTE_MS
  async function evaluations(devices: number, dir: string, nowMs = NOW): Promise<QuotaTable<EvaluationQuestion>> {
    const made = await openQuotaTable(await levelQuotaDisk(dir), evaluationQuota(devices), nowMs)
    open.push(made)
    return made
  }
  function batch(address: string, count: number, shard = 1) {
    const { subnet, prefix, fence } = addressToRequester(address) as QuotaRequester
    return { quotaKey, shard, subnet, prefix, fence, epochs: [timeToEpoch(NOW)], batch: count, ceiling: 1_000_000 }
  }
  const home = '/ip4/203.0.113.7/tcp/1'

  it('an address gets the evaluations of its devices, and forty an hour for each of them afterwards', async () => {
    const quota = await evaluations(2, await stage.dir())
    for (let i = 0; i < 8; i++) expect(await refusal(quota.charge(batch(home, 108), NOW))).toBe('granted')
    expect(await refusal(quota.charge(batch(home, 1), NOW))).toBe('QUOTA_SPENT')
    expect(await refusal(quota.charge(batch(home, 80), NOW + HOUR_MS))).toBe('granted')
    expect(await refusal(quota.charge(batch(home, 1), NOW + HOUR_MS))).toBe('QUOTA_SPENT')
    expect(await refusal(quota.charge(batch(home, 108, 2), NOW))).toBe('granted')
    expect(await refusal(quota.charge({ ...batch(home, 108), quotaKey: systemRandom(32) }, NOW))).toBe('granted')
  })

  it('the same elements are charged each time, because the node cannot tell that they are the same', async () => {
    const quota = await evaluations(1, await stage.dir())
    const one = batch(home, 216)
    expect(await refusal(quota.charge(one, NOW))).toBe('granted')
    expect(await refusal(quota.charge(one, NOW))).toBe('granted')
    expect(await refusal(quota.charge(one, NOW))).toBe('QUOTA_SPENT')
  })

  it('an IPv6 /64 is one address, and all /64 of a /56 or a /48 share eight times as much', async () => {
    for (const to64 of [
      (i: number) => `/ip6/2001:db8:0:12${i.toString(16).padStart(2, '0')}::1/tcp/1`,
      (i: number) => `/ip6/2001:db8:0:${(i * 256).toString(16)}::1/tcp/1`,
    ]) {
      const quota = await evaluations(1, await stage.dir())
      for (let i = 0; i < 8; i++) {
        expect(await refusal(quota.charge(batch(to64(i), DEVICE_EVALUATIONS), NOW))).toBe('granted')
        expect(await refusal(quota.charge(batch(to64(i), 1), NOW))).toBe('QUOTA_SPENT')
      }
      expect(await refusal(quota.charge(batch(to64(8), 1), NOW))).toBe('QUOTA_SPENT')
      expect(await refusal(quota.charge(batch('/ip6/2001:db8:1::1/tcp/1', 1), NOW))).toBe('granted')
    }
  })

  it('a restart and a damaged entry give no fresh quota, and an entry stays until it is fully refilled', async () => {
    const dir = await stage.dir()
    const first = await evaluations(1, dir)
    await first.charge(batch(home, DEVICE_EVALUATIONS), NOW)
    await open.pop()!.close()
    const later = NOW + 4 * HOUR_MS
    const second = await evaluations(1, dir, later)
    expect(await refusal(second.charge(batch(home, 161), later))).toBe('QUOTA_SPENT')
    expect(await refusal(second.charge(batch(home, 160), later))).toBe('granted')
    await open.pop()!.close()
    const full = NOW + 24 * HOUR_MS
    const third = await evaluations(1, dir, full)
    expect(third.size).toBe(0)
    expect(await refusal(third.charge(batch(home, DEVICE_EVALUATIONS), full))).toBe('granted')
  })
})
