import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { openRequest, sealRequest } from '@geotrace/core-wasm/seal'
import {
  foundRoster,
  nextTestRoster,
  TEST_AUTHORITY,
  TEST_OPERATORS,
  testChange,
  testManifest,
  testSealSecret,
  testSigner,
  testTrees,
} from '@geotrace/core-wasm/testing'
import {
  type CertifiedRoster,
  decodeChange,
  type GossipMessage,
  HOUR_MS,
  isSpent,
  manifestToId,
} from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resealing } from '../../../src/central/sealed/resealing.ts'
import { openSealKeys, SEAL_KEYS_MAX } from '../../../src/central/sealed/seal-keys.ts'
import { fileRecords } from '../../../src/platform/file-records.ts'
import { silent } from '../../../src/platform/log.ts'
import { systemRandom } from '../../../src/platform/random.ts'

const manifest = testManifest()
const federation = manifestToId(manifest)
const founding = foundRoster(manifest, testTrees(manifest))
/** The directory has no key, and nobody knows that of the founding. */
const LOST = 'lost'
const QUORUM = TEST_OPERATORS.map((name) => `operator/${name}`)
const UNKNOWN = expect.objectContaining({ code: 'SEAL_UNKNOWN' })

describe('the seal keys of a central peer', () => {
  let dir: string
  let clock: SimulatedClock
  let recent: CertifiedRoster[]
  let said: Uint8Array[]
  let listeners: ((certified: CertifiedRoster) => void)[]
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-seals-'))
    clock = simulatedClock(Date.parse(manifest.founding.at))
    ;[recent, said, listeners] = [[founding], [], []]
  })
  afterEach(() => rm(dir, { recursive: true }))

  const rosters = {
    get recent() {
      return recent
    },
    get newest() {
      return recent.at(-1)
    },
    onAdd: (fn: (certified: CertifiedRoster) => void) => void listeners.push(fn),
  }
  /** The central peer after a start. */
  const start = async (from: typeof LOST | undefined = undefined) => {
    listeners = []
    const keys = await openSealKeys(await fileRecords(dir), systemRandom, from === LOST ? undefined : testSealSecret())
    const say = (message: GossipMessage) => {
      if (message.kind === 'change') said.push(message.change)
    }
    const peer = resealing({ keys, rosters, signer: testSigner(`peer/${TEST_AUTHORITY}`), clock, log: silent, say })
    await peer.start()
    return { peer, keys }
  }
  /** The operators agree on the next roster, with the last announcement. */
  const follow = async (peer: { settled(): Promise<void> }, changes: Uint8Array[] = said.slice(-1)) => {
    await clock.advanceTo(clock.now() + HOUR_MS)
    recent = [...recent, nextTestRoster(recent.at(-1)!, { changes })]
    for (const listener of listeners) listener(recent.at(-1)!)
    await peer.settled()
  }
  const sealed = ({ roster }: CertifiedRoster) =>
    sealRequest(roster.central.seal, federation, new Uint8Array(512), systemRandom).frame

  it('each roster has a key of its own, and the keys of the two newest rosters open frames', async () => {
    const { peer } = await start()
    for (let i = 0; i < 5; i++) await follow(peer)
    const seals = recent.map(({ roster }) => Buffer.from(roster.central.seal).toString('hex'))
    expect(new Set(seals).size).toBe(6)
    expect(
      recent.every(({ roster }, i) => i === 0 || roster.central.sealed > recent[i - 1]!.roster.central.sealed),
    ).toBe(true)
    for (const [i, roster] of recent.entries()) {
      const open = () => openRequest(peer.current(), federation, sealed(roster))
      if (i >= 4) expect(open().request).toHaveLength(512)
      else expect(open).toThrow(UNKNOWN)
    }
    // Another three rosters without a new key change nothing.
    await follow(peer, [])
    expect(openRequest(peer.current(), federation, sealed(recent.at(-1)!)).request).toHaveLength(512)
    expect(peer.isOpen()).toBe(true)
  })

  it('old secrets leave the disk, and the file belongs to its user alone', async () => {
    const { peer, keys } = await start()
    const seen = new Set<Uint8Array>()
    for (let i = 0; i < 6; i++) {
      for (const { secret } of keys.all) seen.add(secret)
      await follow(peer)
    }
    const before = [...seen].map((secret) => Buffer.from(secret))
    const [name, ...rest] = await readdir(dir)
    expect(rest).toEqual([])
    const written = await readFile(join(dir, name!))
    expect((await stat(join(dir, name!))).mode & 0o777).toBe(0o600)
    expect(keys.all).toHaveLength(SEAL_KEYS_MAX)
    for (const { secret } of keys.all) expect(written.includes(Buffer.from(secret))).toBe(true)
    expect(written.includes(Buffer.from(testSealSecret()))).toBe(false)
    // The memory of a dropped secret is wiped.
    expect(before.filter((secret) => secret.every((byte) => byte === 0))).toHaveLength(
      before.length - SEAL_KEYS_MAX + 1,
    )
  })

  it('a restart announces the waiting key again, and makes no second one', async () => {
    await start()
    const { peer } = await start()
    await start()
    expect(said).toHaveLength(3)
    expect(new Set(said.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1)
    await follow(peer)
    expect(isSpent(recent.at(-1)!.roster, decodeChange(said[0]!).change)).toBe(true)
  })

  it('an announcement that no roster made for a week gives way to a new key', async () => {
    const { peer } = await start()
    for (let i = 0; i < 8; i++) await follow(peer, [])
    const untils = said.map((bytes) => decodeChange(bytes).change.until)
    expect(new Set(untils).size).toBe(2)
    await follow(peer)
    expect(openRequest(peer.current(), federation, sealed(recent.at(-1)!)).request).toHaveLength(512)
  })

  it('a central peer that lost its keys says so, announces a key at once, and opens frames from the next roster on', async () => {
    const { peer, keys } = await start(LOST)
    expect(peer.isOpen()).toBe(false)
    expect(() => openRequest(peer.current(), federation, sealed(founding))).toThrow(UNKNOWN)
    expect(keys.all).toHaveLength(1)
    await follow(peer)
    expect(peer.isOpen()).toBe(true)
    expect(openRequest(peer.current(), federation, sealed(recent.at(-1)!)).request).toHaveLength(512)
    expect(() => openRequest(peer.current(), federation, sealed(founding))).toThrow(UNKNOWN)
  })

  it('only the central peer gives itself a new key, and an older announcement does not bring back its key', async () => {
    const { peer } = await start()
    const stale = said[0]!
    const { change } = decodeChange(stale)
    const forged = testChange(federation, change, QUORUM)
    expect(() => nextTestRoster(founding, { changes: [forged] })).toThrow(/signature of the central peer/)
    const later = { ...change, at: (change as { at: number }).at + 1 } as typeof change
    await follow(peer, [testChange(federation, later, [`peer/${TEST_AUTHORITY}`])])
    expect(() => nextTestRoster(recent.at(-1)!, { changes: [stale] })).toThrow(/overtook/)
  })
})
