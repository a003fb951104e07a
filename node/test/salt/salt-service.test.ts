import { simulatedClock } from '@geotrace/core-wasm'
import {
  answerToSalts,
  BLOCK_SIZES_MIN,
  type Block,
  blockToState,
  bodyToCertified,
  type CertifiedRoster,
  compareBlocks,
  EPOCH_MS,
  encodeRoster,
  encodeSaltRequest,
  epochToBlocks,
  hashToRosterName,
  isFederationError,
  keyToShards,
  MINUTE_MS,
  manifestToRoster,
  SALT_WINDOW_MS,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ClockWatch } from '../../src/membership/clock-watch.ts'
import type { RosterStore } from '../../src/membership/roster-store.ts'
import { addressToRequester } from '../../src/net/guard/requester.ts'
import type { Requester } from '../../src/net/protocol.ts'
import { fileRecords } from '../../src/platform/file-records.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { Holdings } from '../../src/salt/holdings.ts'
import type { QuotaName } from '../../src/salt/quota/quota.ts'
import { saltQuota } from '../../src/salt/quota/quota.ts'
import { levelQuotaDisk, type QuotaDisk } from '../../src/salt/quota/quota-disk.ts'
import { openQuotaTable } from '../../src/salt/quota/quota-table.ts'
import { saltService } from '../../src/salt/salt-service.ts'
import { leafToSalts } from '../../src/salt/secrets/plain-salts.ts'
import { ratchetTo, stateToLeaf } from '../../src/salt/secrets/ratchet.ts'
import { seedKeeper } from '../../src/salt/secrets/seed-keeper.ts'
import { ownParts } from '../../src/salt/seeds/shard.ts'
import { createShards } from '../../src/salt/seeds/shards.ts'
import { plainRule } from '../../src/salt/sheets/line-rules.ts'
import { cast, core, Stage } from './federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12, 3)
const HERE: Requester = { key: systemRandom(32), ...addressToRequester('/ip4/203.0.113.7/tcp/1') }
/** Another roster that the central peer may pin. */
const OTHER = { hash: systemRandom(32) } as CertifiedRoster
const stage = new Stage()
afterEach(() => stage.end())

/** The salt service of one node without a network; with `replicas` 1 it alone holds its shards. */
async function service(
  quotaName: QuotaName = 'rolling',
  replicas = 1,
  around: (disk: QuotaDisk) => QuotaDisk = (disk) => disk,
) {
  const players = await cast(3, NOW, { shards: 6, replicas })
  const roster = manifestToRoster(players.manifest)
  const signers = players.secrets.map(nativeSigner)
  const signer = signers.find(({ key }) => keyToShards(roster, key).length > 0)!
  const clock = simulatedClock(NOW)
  const keeper = seedKeeper(core)
  const dir = await stage.dir()
  const records = await fileRecords(`${dir}/records`)
  let certified: CertifiedRoster | undefined
  const shards = createShards({
    ...{ roster, signer, core, rule: plainRule(core), clock, random: systemRandom, records, keeper },
    certified: () => undefined,
    isConvicted: () => false,
    accuse() {},
  })
  for (const shard of shards.all) await shards.make(shard, ownParts(shard))
  const place = { shard: shards.all[0]!.shard, firstEpoch: roster.firstEpoch, part: 0 }
  const seed = keeper.seed(place)!
  const sheets = Array.from({ length: 6 }, (_, shard) => shards.find(shard)?.tree?.root ?? systemRandom(32))
  certified = bodyToCertified(encodeRoster({ ...roster, sheets }), [], [])
  const rosters = {
    named: (name: Uint8Array) => (Buffer.compare(name, hashToRosterName(certified.hash)) === 0 ? certified : undefined),
    pinnable: (epoch: number) =>
      epoch >= roster.firstEpoch && epoch < roster.firstEpoch + shards.epochs ? [OTHER, certified] : [OTHER],
  } as unknown as RosterStore
  const pins = new Map<number, Uint8Array[]>()
  const pinned = (epoch: number): Uint8Array[] => pins.get(epoch) ?? []
  let offsetMs = 0
  const watch = {
    assertTrue() {
      if (offsetMs > 30_000) throw new Error('skewed')
    },
  } as ClockWatch
  const quota = await openQuotaTable(around(await levelQuotaDisk(`${dir}/quota`)), saltQuota(quotaName), NOW)
  const holdings = {
    find(firstEpoch: number, number: number) {
      const found = firstEpoch === shards.firstEpoch ? shards.find(number) : undefined
      return found && { shards, shard: found }
    },
  } as Holdings
  const allowed = { any: true }
  const allows = () => allowed.any
  const answer = saltService({ core, clock, signer, rosters, holdings, keeper, quota, watch, pinned, allows })
  const shard = shards.all[0]!.shard
  const name = hashToRosterName(certified.hash)
  const ask = (blocks: Block[], from = HERE, more = {}) =>
    answer(encodeSaltRequest({ roster: name, shard, blocks: [...blocks].sort(compareBlocks), ...more }), from)
  const code = async (task: Promise<unknown>): Promise<string> =>
    await task.then(
      () => 'OK',
      (error: unknown) => (isFederationError(error) ? error.code : String(error)),
    )
  return {
    allowed,
    answer,
    ask,
    code,
    certified,
    pins,
    shard,
    place,
    signer,
    seed,
    clock,
    keeper,
    shards,
    quota,
    roster,
    skew: (ms: number) => {
      offsetMs = ms
    },
  }
}

const openBlocks = (nowMs: number): Block[] =>
  Array.from({ length: 7 }, (_, i) => timeToEpoch(nowMs) - 4 + i)
    .flatMap(epochToBlocks)
    .filter(({ size, n }) => blockToState(size, n, nowMs) === 'open')
    .sort(compareBlocks)

describe('the salt service', () => {
  it('the service answers any set of open blocks with the salts of its seed, and a client accepts every answer', async () => {
    const s = await service()
    const open = openBlocks(NOW)
    // Open are the blocks of three hours and of one block ahead. A request names at most 90.
    expect(open.length).toBeGreaterThan(80)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(open.slice(0, 90), { minLength: 1 }), async (subset) => {
        const blocks = subset.sort(compareBlocks)
        // All these blocks are within one quota, so asking for them again costs nothing.
        const bytes = await s.ask(blocks)
        const { salts, time } = answerToSalts(bytes, s.certified, s.shard, blocks, s.signer.key)
        expect(time).toBe(NOW)
        for (const [i, { size, n }] of blocks.entries()) {
          const epoch = Math.floor((n * size) / 80)
          const leaf = stateToLeaf(core, ratchetTo(core, s.seed.state, s.seed.epoch, epoch))
          const position = epochToBlocks(epoch).findIndex((item) => item.size === size && item.n === n)
          expect(salts[i]).toEqual(leafToSalts(core, leaf, epoch).slice(32 * position, 32 * position + 32))
        }
      }),
      { numRuns: 25 },
    )
    await s.quota.close()
  })

  it('a client refuses an answer with one changed bit, a missing byte or an extra byte', async () => {
    const s = await service()
    const blocks = [{ size: 80, n: timeToEpoch(NOW) }]
    const bytes = await s.ask(blocks)
    const isTrue = (answer: Uint8Array): boolean => {
      try {
        answerToSalts(answer, s.certified, s.shard, blocks, s.signer.key)
        return true
      } catch {
        return false
      }
    }
    expect(isTrue(bytes)).toBe(true)
    let tried = 0
    // The step is prime to 8, so that every bit position is tried, in every part of the answer.
    for (let bit = 0; bit < bytes.length * 8; bit += 37, tried++) {
      const changed = bytes.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(isTrue(changed), `bit ${bit}`).toBe(false)
    }
    expect(tried).toBeGreaterThan(200)
    expect(isTrue(bytes.slice(0, -1))).toBe(false)
    expect(isTrue(Uint8Array.from([...bytes, 0]))).toBe(false)
    await s.quota.close()
  })

  it('a block of each size opens and closes to the millisecond', async () => {
    for (const size of BLOCK_SIZES_MIN) {
      const s = await service()
      const sizeMs = size * MINUTE_MS
      const n = Math.floor((NOW + 2 * EPOCH_MS) / sizeMs)
      const opens = n * sizeMs - sizeMs - 2 * MINUTE_MS
      const closes = (n + 1) * sizeMs + SALT_WINDOW_MS
      const ask = () => s.code(s.ask([{ size, n }]))
      await s.clock.advanceTo(opens - 1)
      expect(await ask()).toBe('BLOCK_TOO_NEW')
      await s.clock.advanceTo(opens)
      expect(await ask()).toBe('OK')
      await s.clock.advanceTo(closes - 1)
      expect(await ask()).toBe('OK')
      await s.clock.advanceTo(closes)
      expect(await ask()).toBe('BLOCK_TOO_OLD')
      await s.quota.close()
    }
  })

  it('each kind of error in a request has its own code, and costs no quota', async () => {
    const s = await service()
    const now = { size: 5, n: Math.floor(NOW / (5 * MINUTE_MS)) }
    const other = Array.from({ length: 6 }, (_, i) => i).find((shard) => s.shards.find(shard) === undefined)
    expect(await s.code(s.ask([now], { ...HERE, prefix: undefined, fence: undefined }))).toBe('FORBIDDEN')
    s.allowed.any = false
    expect(await s.code(s.ask([now], HERE, { roster: systemRandom(8) }))).toBe('NOT_ALLOWED')
    s.allowed.any = true
    expect(await s.code(s.ask([now], HERE, { roster: systemRandom(8) }))).toBe('ROSTER_UNKNOWN')
    expect(await s.code(s.ask([now], HERE, { shard: other ?? 6 }))).toBe('WRONG_SHARD')
    expect(await s.code(s.ask([{ size: 5, n: now.n - 40 }, now]))).toBe('BLOCK_TOO_OLD')
    expect(await s.code(s.ask([now, { size: 5, n: now.n + 3 }]))).toBe('BLOCK_TOO_NEW')
    const request = encodeSaltRequest({ roster: hashToRosterName(s.certified.hash), shard: s.shard, blocks: [now] })
    const with0 = (at: number, value: number): Uint8Array => request.map((byte, i) => (i === at ? value : byte))
    expect(await s.code(s.answer(with0(0, 2), HERE))).toBe('VERSION_UNKNOWN')
    expect(await s.code(s.answer(with0(1, 1), HERE))).toBe('SUITE_UNKNOWN')
    expect(await s.code(s.answer(with0(12, 0), HERE))).toBe('TOO_MANY_SALTS')
    expect(await s.code(s.answer(with0(12, 91), HERE))).toBe('TOO_MANY_SALTS')
    expect(await s.code(s.answer(with0(13, 7), HERE))).toBe('MESSAGE_MALFORMED')
    expect(await s.code(s.answer(request.slice(0, -1), HERE))).toBe('MESSAGE_MALFORMED')
    expect(await s.code(s.answer(Uint8Array.from([...request, 0]), HERE))).toBe('MESSAGE_MALFORMED')
    expect(s.quota.size).toBe(0)
    s.skew(31_000)
    expect(await s.code(s.answer(request, HERE))).toBe('Error: skewed')
    s.skew(30_000)
    expect(await s.code(s.answer(request, HERE))).toBe('OK')
    expect(s.quota.size).toBe(1)
    await s.quota.close()
  })

  it('a request gets ROSTER_UNKNOWN when one of its epochs is pinned to another roster', async () => {
    const s = await service()
    const epoch = timeToEpoch(NOW)
    const [now, next] = [epoch, epoch + 1].map((n) => ({ size: 80, n })) as [Block, Block]
    s.pins.set(epoch, [OTHER.hash])
    expect(await s.code(s.ask([now]))).toBe('ROSTER_UNKNOWN')
    expect(await s.code(s.ask([now, next]))).toBe('ROSTER_UNKNOWN')
    expect(await s.code(s.ask([next]))).toBe('OK')
    expect(s.quota.size).toBe(1)
    s.pins.set(epoch, [s.certified.hash])
    expect(await s.code(s.ask([now, next]))).toBe('OK')
    // A central peer that contradicts itself cannot make a node refuse either roster.
    s.pins.set(epoch, [OTHER.hash, s.certified.hash])
    expect(await s.code(s.ask([now]))).toBe('OK')
  })

  it('a request gets ROSTER_UNKNOWN when its roster is not in force for one of its blocks', async () => {
    const s = await service()
    const last = s.roster.firstEpoch + s.shards.epochs - 1
    await s.clock.advanceTo((last + 1) * EPOCH_MS - MINUTE_MS)
    expect(await s.code(s.ask([{ size: 80, n: last }]))).toBe('OK')
    expect(
      await s.code(
        s.ask([
          { size: 80, n: last },
          { size: 80, n: last + 1 },
        ]),
      ),
    ).toBe('ROSTER_UNKNOWN')
    await s.quota.close()
  })

  it('a request gets EPOCH_LOST when the secrets are erased or the shard is dropped, and costs no quota', async () => {
    const s = await service()
    const blocks = [{ size: 80, n: timeToEpoch(NOW) }]
    s.keeper.settle(s.place)
    s.keeper.advance(NOW + 10 * EPOCH_MS)
    expect(await s.code(s.ask(blocks))).toBe('EPOCH_LOST')
    s.shards.close()
    expect(await s.code(s.ask(blocks))).toBe('EPOCH_LOST')
    expect(s.quota.size).toBe(0)
    await s.quota.close()
  })

  it('the rolling quota charges new salts only, so a lost reply costs nothing', async () => {
    const s = await service()
    const open = openBlocks(NOW)
    const first = open.slice(0, 80)
    expect(await s.code(s.ask(first))).toBe('OK')
    expect(await s.code(s.ask(first))).toBe('OK')
    expect(await s.code(s.ask(first, { ...HERE, key: systemRandom(32) }))).toBe('OK')
    await s.clock.advanceTo(NOW + 60 * MINUTE_MS)
    const fresh = openBlocks(NOW + 60 * MINUTE_MS).filter(
      (block) => !first.some((item) => compareBlocks(item, block) === 0),
    )
    expect(fresh.length).toBeGreaterThan(20)
    // 10 salts are left and 30 are refilled.
    expect(await s.code(s.ask(fresh.slice(0, 20)))).toBe('OK')
    await s.quota.close()
  })

  it('the strict quota allows one request an hour and shard, and the same request again any number of times', async () => {
    const s = await service('strict')
    const [one, two] = openBlocks(NOW).slice(30) as [Block, Block]
    expect(await s.code(s.ask([one]))).toBe('OK')
    expect(await s.code(s.ask([one]))).toBe('OK')
    const refused = await s.ask([two]).catch((error: unknown) => error)
    expect(isFederationError(refused, 'QUOTA_SPENT') && refused.data.retryAfterMs).toBe(60 * MINUTE_MS)
    await s.clock.advanceTo(NOW + 60 * MINUTE_MS)
    expect(await s.code(s.ask([two]))).toBe('OK')
    await s.quota.close()
  })

  it('a request that the quota refuses costs no hash of a salt', async () => {
    const s = await service('strict')
    const hashes = vi.spyOn(core, 'hmacBatch')
    const [one, two] = openBlocks(NOW)
    expect(await s.code(s.ask([one!]))).toBe('OK')
    expect(hashes).toHaveBeenCalled()
    hashes.mockClear()
    for (let i = 0; i < 10; i++) expect(await s.code(s.ask([two!]))).toBe('QUOTA_SPENT')
    expect(hashes).not.toHaveBeenCalled()
    hashes.mockRestore()
    await s.quota.close()
  })

  it('the quota belongs to the address: new keys do not renew it, and the same key at another address has its own', async () => {
    const s = await service('strict')
    const [one, two] = openBlocks(NOW).slice(30) as [Block, Block]
    const from = (text: string): Requester => ({ key: systemRandom(32), ...addressToRequester(text) })
    expect(await s.code(s.ask([one]))).toBe('OK')
    for (let i = 0; i < 5; i++) {
      expect(await s.code(s.ask([two], from(`/ip4/203.0.113.7/tcp/${i + 1}`)))).toBe('QUOTA_SPENT')
    }
    // A client over HTTPS has no key.
    const { key: _, ...keyless } = HERE
    expect(await s.code(s.ask([two], { key: undefined, ...keyless }))).toBe('QUOTA_SPENT')
    expect(await s.code(s.ask([two], { ...from('/ip4/203.0.113.8/tcp/1'), key: HERE.key }))).toBe('OK')
    await s.quota.close()
  })

  it('the service gives no salt while it cannot read or write its quota table', async () => {
    const s = await service()
    const disk = { broken: true }
    const failing = await service('rolling', 1, (real) => ({
      ...real,
      get: (key) => (disk.broken ? Promise.reject(new Error('no disk')) : real.get(key)),
    }))
    const full = await service('rolling', 1, (real) => ({
      ...real,
      put: (entries) => (disk.broken ? Promise.reject(new Error('no room')) : real.put(entries)),
    }))
    const blocks = [{ size: 80, n: timeToEpoch(NOW) }]
    expect(await s.code(s.ask(blocks))).toBe('OK')
    expect(await failing.code(failing.ask(blocks))).toBe('Error: no disk')
    expect(await full.code(full.ask(blocks))).toBe('Error: no room')
    disk.broken = false
    for (const one of [failing, full]) expect(await one.code(one.ask(blocks))).toBe('OK')
    for (const { quota } of [s, failing, full]) await quota.close()
  })

  it('the service answers for the moment of the request, although the block closes while the quota is charged', async () => {
    let [asked, go] = [() => {}, () => {}]
    const isAsked = new Promise<void>((resolve) => (asked = resolve))
    const mayGo = new Promise<void>((resolve) => (go = resolve))
    const s = await service('rolling', 1, (real) => ({
      ...real,
      async get(key) {
        asked()
        await mayGo
        return real.get(key)
      },
    }))
    // The last block of an epoch closes with the epoch; two minutes later the secrets are erased too.
    const size = 80
    const n = timeToEpoch(NOW)
    const closes = (n + 1) * size * MINUTE_MS + SALT_WINDOW_MS
    await s.clock.advanceTo(closes - 1)
    s.keeper.settle(s.place)
    const answer = s.ask([{ size, n }])
    await isAsked
    await s.clock.advanceTo(closes + 2 * MINUTE_MS)
    s.keeper.advance(s.clock.now())
    go()
    const { salts, time } = answerToSalts(await answer, s.certified, s.shard, [{ size, n }], s.signer.key)
    expect(time).toBe(closes - 1)
    const leaf = stateToLeaf(core, ratchetTo(core, s.seed.state, s.seed.epoch, n))
    expect(salts[0]).toEqual(leafToSalts(core, leaf, n).slice(-32))
    expect(await s.code(s.ask([{ size, n }]))).toBe('BLOCK_TOO_OLD')
    await s.quota.close()
  })

  it('other replicas of the shard pay the quota of their address, as everybody does', async () => {
    const s = await service('strict', 2)
    const [one, two] = [
      { size: 80, n: timeToEpoch(NOW) },
      { size: 80, n: timeToEpoch(NOW) - 1 },
    ]
    const replica = { ...HERE, key: s.shards.all[0]!.otherReplicas[0]!.key }
    expect(await s.code(s.ask([one], replica))).toBe('OK')
    expect(await s.code(s.ask([two], replica))).toBe('QUOTA_SPENT')
    s.skew(31_000)
    expect(await s.code(s.ask([one], replica))).toBe('Error: skewed')
  })

  it('the service answers EPOCH_LOST while its sheet is another than the certified one, because the answer would be false', async () => {
    const s = await service()
    const blocks = [{ size: 80, n: timeToEpoch(NOW) }]
    const { sheets } = s.certified.roster
    const right = sheets[s.shard]!
    sheets[s.shard] = systemRandom(32)
    expect(await s.code(s.ask(blocks))).toBe('EPOCH_LOST')
    sheets[s.shard] = right
    expect(await s.code(s.ask(blocks))).toBe('OK')
  })
})
