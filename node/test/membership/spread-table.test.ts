/** Keys and counts of spreads as a peer keeps them. PROTOCOL.md §9.7, §9.9. */
import { simulatedClock } from '@geotrace/core-wasm'
import type { SpreadRule } from '@geotrace/core-wasm/spread'
import { foundRoster, TEST_OPERATORS, testManifest, testSigner, testTrees } from '@geotrace/core-wasm/testing'
import {
  DAY_MS,
  decodeEvidence,
  decodeRosterReply,
  decodeSpreadKeysReply,
  EPOCH_MS,
  encodeEvidence,
  encodeRosterRequest,
  encodeSpread,
  equalBytes,
  hashToRosterName,
  isProof,
  manifestToId,
  type RosterPeer,
  type Signer,
  type SpreadContent,
  signSpread,
  signSpreadKey,
} from '@geotrace/core-wasm/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { rosterService } from '../../src/membership/roster-service.ts'
import { createSpreadTable, type SpreadTable } from '../../src/membership/spread-table.ts'
import { addressToRequester } from '../../src/net/guard/requester.ts'

const DAY = 20_790
const PERIOD = DAY + 1
const spread = { areas: [7], resolution: 5, periodDays: 1, minimum: 20, epsilon: 4_000 }
const manifest = testManifest({ spread, shards: 1 }, DAY * DAY_MS - 4 * EPOCH_MS)
const certified = foundRoster(manifest, testTrees(manifest))
const federation = manifestToId(manifest)
const signerOf = ({ key }: RosterPeer): Signer =>
  TEST_OPERATORS.map((name) => testSigner(`peer/${name}`)).find((signer) => equalBytes(signer.key, key))!
const bytes = (value: number) => new Uint8Array(32).fill(value)

describe('the table of spreads', () => {
  let clock: ReturnType<typeof simulatedClock>
  let table: SpreadTable
  let rule: SpreadRule
  beforeEach(() => {
    clock = simulatedClock(DAY * DAY_MS)
    table = createSpreadTable(federation, { inForce: () => certified }, clock)
    rule = table.ruleOf(PERIOD)!
  })
  const keyOf = (signer: Signer, value: number, period = PERIOD) => ({
    kind: 'spread-key' as const,
    ...signSpreadKey(signer, federation, period, bytes(value)),
  })
  const content = (change: Partial<SpreadContent> = {}): SpreadContent => ({
    ...{ federation, period: PERIOD, days: 1, resolution: 5, epsilon: 4_000, areas: [7] },
    roster: hashToRosterName(certified.hash),
    mixer: certified.roster.members.indexOf(rule.mixer),
    teller: certified.roster.members.indexOf(rule.teller),
    counts: [1, -2, 3, 0, 0, 40_000, 0, 9],
    ...change,
  })
  const spreadOf = (change: Partial<SpreadContent> = {}, signer = signerOf(rule.teller)) => ({
    kind: 'spread' as const,
    spread: encodeSpread(signSpread(signer, content(change))),
  })

  it('the rule of a period is known one day before it, and its two roles have different operators', () => {
    expect(rule.spread).toEqual(spread)
    expect(rule.mixer.operator).not.toBe(rule.teller.operator)
    expect(table.ruleOf(PERIOD + 1)).toBeUndefined()
    expect(table.ruleOf(0)).toBeUndefined()
    const none = createSpreadTable(federation, { inForce: () => undefined }, clock)
    expect(none.ruleOf(PERIOD)).toBeUndefined()
    expect(none.take(keyOf(signerOf(rule.mixer), 1))).toBe('ignore')
  })

  it('the first key of a drawn member is kept, and those of others and with a bent signature are not', () => {
    const own = keyOf(signerOf(rule.mixer), 1)
    const stranger = TEST_OPERATORS.map((name) => testSigner(`peer/${name}`)).find(
      ({ key }) => ![rule.mixer, rule.teller].some((role) => equalBytes(role.key, key)),
    )!
    expect(table.take(keyOf(stranger, 1))).toBe('ignore')
    expect(table.take(keyOf(signerOf(rule.mixer), 1, PERIOD + 1))).toBe('ignore')
    expect(table.take({ ...own, signature: own.signature.map((byte) => byte ^ 1) })).toBe('reject')
    expect(table.take(own)).toEqual({ keep: own, proofs: [] })
    expect(table.take(own)).toBe('ignore')
    expect(table.keyOf(PERIOD, rule.mixer.key)).toEqual(own)
    expect(table.keyOf(PERIOD, rule.teller.key)).toBeUndefined()
    expect(table.messages()).toEqual([own])
  })

  it('two keys of one member are evidence, and the first key stays', () => {
    const signer = signerOf(rule.teller)
    table.take(keyOf(signer, 1))
    const fate = table.take(keyOf(signer, 2))
    const [proof] = (fate as { proofs: Parameters<typeof encodeEvidence>[0][] }).proofs
    expect(proof).toMatchObject({ kind: 'spread-keys', key: signer.key, period: PERIOD })
    const read = decodeEvidence(encodeEvidence(proof!))
    expect(isProof(read, () => undefined)).toBe(true)
    expect(isProof({ ...read, key: signerOf(rule.mixer).key }, () => undefined)).toBe(false)
    expect(isProof({ ...read, period: PERIOD + 1 } as typeof read, () => undefined)).toBe(false)
    expect(table.keyOf(PERIOD, signer.key)?.slipKey).toEqual(bytes(1))
  })

  it('a spread counts after the end of its period, signed by its teller, with the numbers of the roster', async () => {
    expect(table.take(spreadOf())).toBe('ignore')
    await clock.advanceTo((PERIOD + 1) * DAY_MS)
    const wrong: Partial<SpreadContent>[] = [
      { epsilon: 3_999 },
      { areas: [8] },
      { days: 2 },
      { mixer: content().teller },
      { roster: new Uint8Array(8) },
      { resolution: 6, counts: new Array(50).fill(0) },
    ]
    for (const change of wrong) expect(table.take(spreadOf(change)), JSON.stringify(change)).toBe('reject')
    expect(table.take(spreadOf({}, signerOf(rule.mixer)))).toBe('reject')
    expect(table.take(spreadOf({ federation: bytes(9) }))).toBe('ignore')
    const own = spreadOf()
    expect(table.take(own)).toEqual({ keep: own, proofs: [] })
    expect(table.take(own)).toBe('ignore')
    // Counts beyond the field saturate.
    expect(table.spreadOf(PERIOD)!.counts).toEqual([1, -2, 3, 0, 0, 32_767, 0, 9])
  })

  it('two spreads of one period are evidence, and the first one stays', async () => {
    await clock.advanceTo((PERIOD + 1) * DAY_MS)
    table.take(spreadOf())
    const fate = table.take(spreadOf({ counts: [1, -2, 3, 0, 0, 40_000, 0, 8] }))
    const [proof] = (fate as { proofs: Parameters<typeof encodeEvidence>[0][] }).proofs
    expect(proof).toMatchObject({ kind: 'spreads', key: rule.teller.key })
    const read = decodeEvidence(encodeEvidence(proof!))
    expect(isProof(read, () => undefined)).toBe(true)
    expect(
      isProof({ ...read, first: read.kind === 'spreads' ? read.second : undefined } as typeof read, () => undefined),
    ).toBe(false)
    expect(table.spreadOf(PERIOD)!.counts.at(-1)).toBe(9)
  })

  it('anybody may ask a peer for the keys of a period and for its spread', async () => {
    const service = rosterService({
      federation,
      peers: { withKey: () => undefined },
      spreads: table,
    } as unknown as Parameters<typeof rosterService>[0])
    const from = { key: undefined, ...addressToRequester('/ip4/203.0.113.1/tcp/1') }
    const ask = (op: 'spread-keys' | 'spread', period = PERIOD) => service(encodeRosterRequest({ op, period }), from)
    expect(decodeSpreadKeysReply(await ask('spread-keys'))).toEqual([])
    const keys = [rule.teller, rule.mixer].map((role, i) => keyOf(signerOf(role), i + 1))
    for (const key of keys) table.take(key)
    expect(decodeSpreadKeysReply(await ask('spread-keys')).map(({ slipKey }) => slipKey[0])).toEqual([2, 1])
    expect(decodeSpreadKeysReply(await ask('spread-keys', PERIOD + 9))).toEqual([])
    expect(decodeRosterReply(await ask('spread'))).toBeUndefined()
    await clock.advanceTo((PERIOD + 1) * DAY_MS)
    const own = spreadOf()
    table.take(own)
    expect(decodeRosterReply(await ask('spread'))).toEqual(own.spread)
  })

  it('the four newest spreads are kept, and keys of the periods that are still run', async () => {
    for (let day = 0; day < 40; day++) {
      await clock.advanceTo((DAY + 2 + day) * DAY_MS)
      const period = PERIOD + day
      const own = table.ruleOf(period)!
      rule = own
      table.take(keyOf(signerOf(own.mixer), 1, period))
      table.take(keyOf(signerOf(own.teller), 2, period))
      expect(table.take(spreadOf({ period }, signerOf(own.teller)))).toMatchObject({ proofs: [] })
    }
    expect(table.spreads().map(({ period }) => period)).toEqual([37, 38, 39, 40].map((day) => DAY + day))
    expect(table.messages().length).toBe(34 + 4)
    expect(table.take(spreadOf({ period: PERIOD + 2 }))).toBe('ignore')
    expect(table.take(keyOf(signerOf(table.ruleOf(PERIOD)!.mixer), 1))).toBe('ignore')
  })
})
