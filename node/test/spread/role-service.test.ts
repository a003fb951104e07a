/** Mixer and teller of one period, with real seals, over a disk in memory that outlives a killed process. */
import { setImmediate } from 'node:timers/promises'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import type { SpreadRule } from '@geotrace/core-wasm/spread'
import { makeSlip } from '@geotrace/core-wasm/spread'
import { foundRoster, TEST_OPERATORS, testManifest, testSigner, testTrees } from '@geotrace/core-wasm/testing'
import {
  batchToDigest,
  batchToParts,
  concatBytes,
  DAY_MS,
  decodeMixedReply,
  decodeRosterReply,
  decodeSpread,
  EPOCH_MS,
  encodeSpread,
  encodeSpreadRequest,
  equalBytes,
  isValidMixed,
  isValidSpread,
  manifestToId,
  peerIdToKey,
  type RosterPeer,
  type Signer,
  SPREAD_ITEM_BYTES,
  SPREAD_PART_MAX,
  SPREAD_SLIP_BYTES,
  signMixed,
} from '@geotrace/core-wasm/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { createSpreadTable, type SpreadTable } from '../../src/membership/spread-table.ts'
import { addressToRequester } from '../../src/net/guard/requester.ts'
import type { Requester } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { PeriodKeys } from '../../src/spread/period-keys.ts'
import { type RoleRecords, roleRecords } from '../../src/spread/role-records.ts'
import { RoleService } from '../../src/spread/role-service.ts'

const DAY = 20_790
const PERIOD = DAY + 1
const BUCKETS = 7
const spread = { areas: [7], resolution: 5, periodDays: 1, minimum: 20, epsilon: 4_000 }
const manifest = testManifest({ spread, shards: 1 }, DAY * DAY_MS - 4 * EPOCH_MS)
const certified = foundRoster(manifest, testTrees(manifest))
const federation = manifestToId(manifest)
const centralKey = peerIdToKey(manifest.central.peerId)
const from = (key: Uint8Array | undefined): Requester => ({ key, ...addressToRequester('/ip4/127.0.0.1/tcp/1') })
const signerOf = ({ key }: RosterPeer): Signer =>
  TEST_OPERATORS.map((name) => testSigner(`peer/${name}`)).find((signer) => equalBytes(signer.key, key))!
const code = (value: string) => expect.objectContaining({ code: value })

/** Records in memory: they outlive the services that use them. */
function memoryRecords() {
  const files = new Map<string, Uint8Array>()
  return {
    files,
    records: roleRecords({
      get: async (name) => files.get(name)?.slice(),
      put: async (name, value) => void files.set(name, value.slice()),
      update: async (name, change) => void files.set(name, change(files.get(name))),
      remove: async (name) => void files.delete(name),
    }),
  }
}

interface Member {
  readonly files: Map<string, Uint8Array>
  readonly records: RoleRecords
  readonly keys: PeriodKeys
  service: RoleService
}

describe('the roles of a spread', () => {
  let clock: SimulatedClock
  let table: SpreadTable
  let rule: SpreadRule
  let mixer: Member
  let teller: Member
  beforeEach(async () => {
    clock = simulatedClock(DAY * DAY_MS)
    table = createSpreadTable(federation, { inForce: () => certified }, clock)
    rule = table.ruleOf(PERIOD)!
    mixer = open(signerOf(rule.mixer))
    teller = open(signerOf(rule.teller))
    for (const { keys } of [mixer, teller]) await keys.check()
    await clock.advanceTo((PERIOD + 1) * DAY_MS)
  })

  function open(signer: Signer, { files, records } = memoryRecords()): Member {
    const shared = { federation, signer, table, records, clock, random: systemRandom, log: silent }
    const announce = (key: Parameters<ConstructorParameters<typeof PeriodKeys>[0]['announce']>[0]) =>
      void table.take({ kind: 'spread-key', ...key })
    const service = restart(signer, records)
    return { files, records, service, keys: new PeriodKeys({ ...shared, announce, forget: (p) => service.forget(p) }) }
  }
  function restart(signer: Signer, records: RoleRecords, pause: () => Promise<void> = setImmediate): RoleService {
    const publish = (bytes: Uint8Array) => void table.take({ kind: 'spread', spread: bytes })
    const shared = { federation, centralKey, signer, table, records, clock, random: systemRandom, log: silent }
    return new RoleService({ ...shared, publish, pause })
  }
  const keys = () => ({
    mixer: table.keyOf(PERIOD, rule.mixer.key)!.slipKey,
    teller: table.keyOf(PERIOD, rule.teller.key)!.slipKey,
  })
  const slipsOf = (buckets: readonly number[]) =>
    concatBytes(...buckets.map((bucket) => makeSlip({ federation, period: PERIOD }, keys(), bucket, systemRandom)))
  const BUCKETS_OF = [...Array(32).keys()].map((i) => i % (BUCKETS + 1))

  const give = async ({ service }: Member, slips: Uint8Array, period = PERIOD) => {
    for (const part of batchToParts(slips, SPREAD_SLIP_BYTES))
      expect(await service.handle(encodeSpreadRequest({ op: 'slips', period, ...part }), from(centralKey))).toEqual(
        Uint8Array.of(0),
      )
  }
  const giveItems = async ({ service }: Member, items: Uint8Array, signature: Uint8Array) => {
    for (const part of batchToParts(items, SPREAD_ITEM_BYTES))
      await service.handle(encodeSpreadRequest({ op: 'items', period: PERIOD, signature, ...part }), from(centralKey))
  }
  const ask = (service: RoleService, request: Parameters<typeof encodeSpreadRequest>[0]) =>
    service.handle(encodeSpreadRequest(request), from(centralKey))
  /** Asks again while the role is busy. */
  async function patiently(
    service: RoleService,
    request: Parameters<typeof encodeSpreadRequest>[0],
  ): Promise<Uint8Array> {
    for (;;) {
      try {
        return await ask(service, request)
      } catch (error) {
        if ((error as { code?: string }).code !== 'BUSY') throw error
        await setImmediate()
      }
    }
  }
  async function takeMixed({ service }: Member) {
    const first = decodeMixedReply(await patiently(service, { op: 'mixed', period: PERIOD, part: 0 }))
    const parts = [first.content]
    for (let part = 1; part < first.parts; part++)
      parts.push(decodeMixedReply(await ask(service, { op: 'mixed', period: PERIOD, part })).content)
    return { items: concatBytes(...parts), batch: first.batch, signature: first.signature }
  }
  const takeSpread = async ({ service }: Member) =>
    decodeRosterReply(await patiently(service, { op: 'counted', period: PERIOD }))!

  it('slips become a signed spread whose counts are true but for the noise, and the peers have it', async () => {
    await give(mixer, slipsOf(BUCKETS_OF))
    const { items, batch, signature } = await takeMixed(mixer)
    expect(batchToDigest(items)).toEqual(batch)
    expect(isValidMixed(rule.mixer.key, federation, PERIOD, { batch, signature })).toBe(true)
    await giveItems(teller, items, signature)
    const published = decodeSpread(await takeSpread(teller))
    expect(isValidSpread(published, rule.teller.key)).toBe(true)
    expect(published.counts.length).toBe(BUCKETS + 1)
    // At ε = 4 both noises together are above 6 once in 10¹⁰ counts.
    for (const count of published.counts) expect(Math.abs(count - 4)).toBeLessThanOrEqual(6)
    expect(encodeSpread(table.spreadOf(PERIOD)!)).toEqual(encodeSpread(published))
  })

  it('a batch of several parts comes in any order, and nothing of a slip shows in the items', async () => {
    const one = slipsOf([3])
    // Copies of one slip fill the parts: they count once, so the batch has too few slips, but it is taken whole.
    const many = concatBytes(...Array(SPREAD_PART_MAX + 5).fill(one), slipsOf(BUCKETS_OF))
    const parts = batchToParts(many, SPREAD_SLIP_BYTES)
    expect(parts.length).toBe(2)
    for (const part of [...parts].reverse()) await ask(mixer.service, { op: 'slips', period: PERIOD, ...part })
    const { items } = await takeMixed(mixer)
    const text = Buffer.from(items).toString('latin1')
    for (let at = 0; at + 8 <= one.length; at++)
      expect(text.includes(Buffer.from(one.subarray(at, at + 8)).toString('latin1'))).toBe(false)
  })

  it('only the central peer may ask, only the drawn role answers, and none before the end of the period', async () => {
    const slips = slipsOf(BUCKETS_OF)
    const [part] = batchToParts(slips, SPREAD_SLIP_BYTES)
    const request = encodeSpreadRequest({ op: 'slips', period: PERIOD, ...part! })
    for (const key of [undefined, rule.teller.key])
      await expect(mixer.service.handle(request, from(key))).rejects.toThrow(code('FORBIDDEN'))
    // A stranger is refused before its bytes are read.
    await expect(mixer.service.handle(new Uint8Array(3), from(rule.teller.key))).rejects.toThrow(code('FORBIDDEN'))
    await expect(teller.service.handle(request, from(centralKey))).rejects.toThrow(code('FORBIDDEN'))
    await expect(ask(mixer.service, { op: 'counted', period: PERIOD })).rejects.toThrow(code('FORBIDDEN'))
    await expect(ask(mixer.service, { op: 'mixed', period: PERIOD + 40, part: 0 })).rejects.toThrow(code('FORBIDDEN'))
    await expect(mixer.service.handle(request.subarray(1), from(centralKey))).rejects.toMatchObject({
      code: expect.stringMatching(/MESSAGE_MALFORMED|VERSION_UNKNOWN/),
    })
    const early = simulatedClock((PERIOD + 1) * DAY_MS - 1)
    const shared = { federation, centralKey, signer: signerOf(rule.mixer), table, records: mixer.records }
    const hasty = new RoleService({
      ...shared,
      ...{ clock: early, random: systemRandom, log: silent, publish: () => {}, pause: setImmediate },
    })
    await expect(hasty.handle(request, from(centralKey))).rejects.toThrow(code('BUSY'))
  })

  it('a second batch of the period is a conflict at both roles, and the same batch changes nothing', async () => {
    const slips = slipsOf(BUCKETS_OF)
    await give(mixer, slips)
    const { items, signature } = await takeMixed(mixer)
    await expect(give(mixer, slips.subarray(SPREAD_SLIP_BYTES))).rejects.toThrow(code('SYNC_CONFLICT'))
    await give(mixer, slips)
    expect((await takeMixed(mixer)).items).toEqual(items)
    await giveItems(teller, items, signature)
    const published = await takeSpread(teller)
    const fewer = items.subarray(SPREAD_ITEM_BYTES)
    const resigned = signMixed(signerOf(rule.mixer), federation, PERIOD, batchToDigest(fewer))
    await expect(giveItems(teller, fewer, resigned)).rejects.toThrow(code('SYNC_CONFLICT'))
    await giveItems(teller, items, signature)
    expect(await takeSpread(teller)).toEqual(published)
  })

  it('too few slips burn the period, and copies and rubbish do not help', async () => {
    const few = slipsOf([1, 2, 3])
    await give(mixer, concatBytes(few, few, few, few, few, few, few, systemRandom(20 * SPREAD_SLIP_BYTES)))
    await expect(takeMixed(mixer)).rejects.toMatchObject({ code: 'TOO_FEW', data: { count: 3 } })
    await expect(give(mixer, slipsOf(BUCKETS_OF))).rejects.toThrow(code('SYNC_CONFLICT'))
    mixer.service = restart(signerOf(rule.mixer), mixer.records)
    await expect(takeMixed(mixer)).rejects.toThrow(code('TOO_FEW'))
  })

  it('items without the signature of the mixer, and a batch with another digest, are refused and keep nothing', async () => {
    const slips = slipsOf(BUCKETS_OF)
    const [part] = batchToParts(slips, SPREAD_SLIP_BYTES)
    const lying = { ...part!, batch: new Uint8Array(32) }
    await expect(ask(mixer.service, { op: 'slips', period: PERIOD, ...lying })).rejects.toThrow(
      code('MESSAGE_MALFORMED'),
    )
    await give(mixer, slips)
    const { items, signature } = await takeMixed(mixer)
    for (const bad of [new Uint8Array(64), signMixed(signerOf(rule.teller), federation, PERIOD, batchToDigest(items))])
      await expect(giveItems(teller, items, bad)).rejects.toThrow(code('MESSAGE_MALFORMED'))
    const bent = items.slice()
    bent[60]! ^= 1
    await expect(giveItems(teller, bent, signature)).rejects.toThrow(code('MESSAGE_MALFORMED'))
    await giveItems(teller, items, signature)
    expect(decodeSpread(await takeSpread(teller)).counts.length).toBe(BUCKETS + 1)
    await expect(ask(mixer.service, { op: 'mixed', period: PERIOD, part: 9 })).rejects.toThrow(
      code('MESSAGE_MALFORMED'),
    )
  })

  it('a role that is killed before its output takes the same batch again, and no other one', async () => {
    const slips = slipsOf(BUCKETS_OF)
    // This process dies in the middle of its work.
    mixer.service = restart(signerOf(rule.mixer), mixer.records, () => new Promise(() => {}))
    await give(mixer, slips)
    await expect(ask(mixer.service, { op: 'mixed', period: PERIOD, part: 0 })).rejects.toThrow(code('BUSY'))
    expect([...mixer.files.keys()]).not.toContain(`output-${PERIOD}`)
    mixer.service = restart(signerOf(rule.mixer), mixer.records)
    await expect(ask(mixer.service, { op: 'mixed', period: PERIOD, part: 0 })).rejects.toThrow(code('BUSY'))
    await expect(give(mixer, slips.subarray(SPREAD_SLIP_BYTES))).rejects.toThrow(code('SYNC_CONFLICT'))
    await give(mixer, slips)
    expect((await takeMixed(mixer)).items.length).toBeGreaterThan(32 * SPREAD_ITEM_BYTES)
  })

  it('a role that is killed after its output gives the same bytes, and one that stops leaves none', async () => {
    const slips = slipsOf(BUCKETS_OF)
    await give(mixer, slips)
    const before = await takeMixed(mixer)
    mixer.service = restart(signerOf(rule.mixer), mixer.records)
    expect(await takeMixed(mixer)).toEqual(before)
    await giveItems(teller, before.items, before.signature)
    await teller.service.stop()
    expect([...teller.files.keys()]).not.toContain(`output-${PERIOD}`)
    teller.service = restart(signerOf(rule.teller), teller.records)
    await giveItems(teller, before.items, before.signature)
    const published = await takeSpread(teller)
    teller.service = restart(signerOf(rule.teller), teller.records)
    expect(await takeSpread(teller)).toEqual(published)
  })

  it('the secret and the output go when the spread is published, and the period cannot be opened again', async () => {
    const slips = slipsOf(BUCKETS_OF)
    await give(mixer, slips)
    const { items, signature } = await takeMixed(mixer)
    await giveItems(teller, items, signature)
    await takeSpread(teller)
    for (const { keys: own, files } of [mixer, teller]) {
      await own.check()
      expect([...files.keys()].filter((name) => name.includes(`${PERIOD}`))).toEqual([])
    }
    await expect(give(mixer, slips)).rejects.toThrow(code('EPOCH_LOST'))
    await expect(giveItems(teller, items, signature)).rejects.toThrow(code('EPOCH_LOST'))
  })

  it('a secret without a run goes 14 days after its period', async () => {
    await clock.advanceTo((PERIOD + 15) * DAY_MS - 1)
    await mixer.keys.check()
    expect([...mixer.files.keys()]).toContain(`key-${PERIOD}`)
    await clock.advanceTo((PERIOD + 15) * DAY_MS)
    await mixer.keys.check()
    expect([...mixer.files.keys()]).not.toContain(`key-${PERIOD}`)
  })

  it('a member draws one key for a period, also after its disk is lost, and announces it again when others lack it', async () => {
    clock = simulatedClock(DAY * DAY_MS)
    const own = signerOf(rule.mixer)
    table = createSpreadTable(federation, { inForce: () => certified }, clock)
    const first = open(own)
    await first.keys.check()
    const known = table.keyOf(PERIOD, own.key)!
    await first.keys.check()
    // A node that lost its disk knows from others that it announced a key, and keeps no second secret.
    const bare = open(own)
    await bare.keys.check()
    expect([...bare.files.keys()]).toEqual([])
    expect(table.keyOf(PERIOD, own.key)).toEqual(known)
    table = createSpreadTable(federation, { inForce: () => certified }, clock)
    await open(own, first).keys.check()
    expect(table.keyOf(PERIOD, own.key)).toEqual(known)
    // A member that is not drawn draws nothing.
    const other = TEST_OPERATORS.map((name) => testSigner(`peer/${name}`)).find(
      ({ key }) => ![rule.mixer, rule.teller].some((role) => equalBytes(role.key, key)),
    )!
    const idle = open(other)
    await idle.keys.check()
    expect([...idle.files.keys()]).toEqual([])
  })

  it('the check of the keys comes some minutes after the start, and again until the stop', async () => {
    clock = simulatedClock(DAY * DAY_MS)
    table = createSpreadTable(federation, { inForce: () => certified }, clock)
    const member = open(signerOf(rule.teller))
    member.keys.start()
    await clock.advanceTo(DAY * DAY_MS + 299_000)
    expect(member.files.size).toBe(0)
    await clock.advanceTo(DAY * DAY_MS + 301_000)
    await member.keys.stop()
    expect([...member.files.keys()]).toContain(`key-${PERIOD}`)
    const size = member.files.size
    await clock.advanceTo((DAY + 40) * DAY_MS)
    expect(member.files.size).toBe(size)
  })
})
