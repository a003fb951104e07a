/** Tokens with real peers on loopback: five salt nodes, a central peer that issues, and devices that share one address. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadGroup, randomElement } from '@geotrace/core-wasm/voprf'
import {
  byteReader,
  EVALUATE_PROTOCOL,
  encodeEvaluateRequest,
  hashToRosterName,
  isFederationError,
  RELAY_TOKENS_PER_DAY,
  throwRefusal,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { type LocalFederation, startFederation } from '@geotrace/node/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTracer, libp2pDialer, memoryStorage, type Tracer } from '../../src/node.ts'
import { life } from '../../src/testing/fake-federation.ts'

const TOKENS = 4
const BATCH = 36

/** Empty for an answer. */
function statusToCode(answer: Uint8Array): string {
  try {
    throwRefusal(byteReader(answer))
    return ''
  } catch (error) {
    return codeOf(error)
  }
}
function codeOf(error: unknown): string {
  return isFederationError(error) ? error.code : String(error)
}

describe('devices behind one address', () => {
  let dir: string
  let federation: LocalFederation
  const open: Tracer[] = []
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-tokens-'))
    const parameters = { shards: 1, devicesPerAddress: 1 }
    federation = await startFederation({ dir: join(dir, 'federation'), parameters, tokensPerDay: TOKENS })
  })
  afterAll(async () => {
    await Promise.all(open.map((tracer) => tracer.close()))
    await federation?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  async function walker(): Promise<Tracer> {
    const storage = memoryStorage()
    const tracer = await createTracer({
      ...{ federation: federation.manifest, storage, dialer: libp2pDialer(), redaction: false },
    })
    open.push(tracer)
    for (const fix of life({ lat: 52.52, lng: 13.405 }, Date.now() - 10 * 60_000, 30, 0.001)) await tracer.record(fix)
    return tracer
  }

  /** Spends the quota of this address at every node, as a neighbour would. */
  async function spendAddress(): Promise<void> {
    const group = await loadGroup()
    const random = (n: number) => new Uint8Array(randomBytes(n))
    const { rosters } = federation.central.membership()!
    const elements = [Array.from({ length: BATCH }, () => randomElement(group, random))]
    const epochs = [timeToEpoch(Date.now())]
    const roster = hashToRosterName(rosters.newest!.hash)
    const frame = encodeEvaluateRequest({ roster, shard: 0, wantsKeys: false, epochs, elements })
    const session = await libp2pDialer().open()
    for (const peer of rosters.newest!.roster.members) {
      for (let code = ''; code !== 'QUOTA_SPENT'; ) {
        const answer = await session.request(peer, EVALUATE_PROTOCOL, frame).catch((error: unknown) => error)
        code = answer instanceof Uint8Array ? statusToCode(answer) : codeOf(answer)
        // A loaded machine answers later.
        if (code === 'BUSY') await new Promise((resolve) => setTimeout(resolve, 100))
        else expect(['', 'QUOTA_SPENT']).toContain(code)
      }
    }
    await session.close()
  }

  it('every device with tokens syncs after the address has spent its quota, and a device without them waits', {
    timeout: 300_000,
  }, async () => {
    const { codes } = await federation.central.issueEnrolmentCodes({ count: 2 })
    await spendAddress()
    const waiting = await walker()
    expect((await waiting.sync()).fixesDeferred).toBeGreaterThan(0)
    const control = await waiting.tokens()
    expect(await control.status()).toMatchObject({ isOffered: true, isEnrolled: false, today: 0, dueAt: undefined })
    expect(await control.enrol(codes[0]!)).toMatchObject({ isEnrolled: true, today: TOKENS, tomorrow: 0 })
    expect(await waiting.sync()).toMatchObject({ fixesDeferred: 0, fixesLost: 0, nodesLied: 0 })

    const late = await walker()
    const own = await late.tokens()
    // Before its first sync the device does not know which members it asks.
    expect(await own.enrol(codes[1]!)).toMatchObject({ isEnrolled: true, today: 0, dueAt: 0 })
    expect((await late.sync()).fixesDeferred).toBeGreaterThan(0)
    const { today, dueAt } = await own.fetch()
    expect(today).toBe(TOKENS)
    expect(dueAt! - Date.now()).toBeGreaterThan(0)
    expect(dueAt! - Date.now()).toBeLessThan(2 * 24 * 3_600_000)
    expect(await late.sync()).toMatchObject({ fixesDeferred: 0, fixesLost: 0, nodesLied: 0 })
    // Nothing more is due today.
    expect(await own.fetch()).toMatchObject({ today: TOKENS, tomorrow: 0 })
    const { enrolments, tokens } = federation.central.status()
    expect([enrolments, tokens]).toEqual([2, 2 * (TOKENS + RELAY_TOKENS_PER_DAY)])
  })
})
