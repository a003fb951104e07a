import { decodeEvidence, decodeGossip, EPOCH_MS, hashToRosterName, isProof } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  seededBytes,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { CAFE, cut, MINUTE, recordAll, uncut } from '../fixture.ts'

const SMALL = { shards: 1, reserveEpochs: 20 }

/** A time in the middle of an epoch that the second roster governs, while the first one has reserve. */
async function lateRoster() {
  const federation = await fakeFederation(SMALL)
  const [first, second] = [federation.certified, federation.follow()]
  const epoch = second.roster.firstEpoch + 3
  await federation.clock.advanceTo(epoch * EPOCH_MS + 40 * MINUTE)
  const pinTo = (roster: typeof first) => {
    federation.pins.splice(0)
    for (let i = -3; i <= 1; i++) federation.pins.push(federation.pin(epoch + i, roster))
  }
  return { federation, first, second, epoch, pinTo }
}
const now = (federation: FakeFederation) => federation.clock.now()
const names = (federation: FakeFederation) => new Set(federation.answered.map(({ roster }) => roster.roster.height))

describe('a device that follows pins', () => {
  it('a device salts under the pinned roster although a later one is in force', async () => {
    const { federation, first, pinTo } = await lateRoster()
    pinTo(first)
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, now(federation), 30))
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesAgain: 0, rowsRefused: 0 })
    expect(names(federation)).toEqual(new Set([0]))
    const [deposit] = federation.central.requests.filter(({ groups }) => groups.length > 0)
    for (const { roster } of deposit!.groups) expect(roster).toEqual(hashToRosterName(first.hash))
  })

  it('a device salts again under a pin that comes after hashing, also when nothing was deposited', async () => {
    const { federation, first, second, pinTo } = await lateRoster()
    const storage = memoryStorage()
    const tracer = await openTracer(federation, { storage })
    await recordAll(tracer, life(CAFE, now(federation), 30))
    cut(federation, OPENED_SYNC)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(names(federation)).toEqual(new Set([second.roster.height]))
    pinTo(first)
    await federation.clock.advanceTo(now(federation) + 60 * MINUTE)
    // The central peer takes only the pinned roster.
    federation.central.refuse = ({ roster }) =>
      Buffer.from(roster).equals(Buffer.from(hashToRosterName(first.hash))) ? undefined : 'roster'
    uncut(federation)
    const again = await openTracer(federation, { storage })
    const result = await again.sync()
    expect(result).toMatchObject({ fixesAgain: 6, fixesHashed: 6, rowsLost: 0 })
    expect(result.rowsDeposited).toBe(result.points)
  })

  it('a device counts rows lost to the roster when the pin comes after their salt window', async () => {
    const { federation, first, pinTo } = await lateRoster()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, now(federation), 30))
    cut(federation, OPENED_SYNC)
    await expect(tracer.sync()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    uncut(federation)
    pinTo(first)
    federation.central.refuse = () => 'roster'
    await federation.clock.advanceTo(now(federation) + 240 * MINUTE)
    const result = await tracer.sync()
    expect(result.rowsLost).toBeGreaterThan(0)
    expect(result).toMatchObject({ fixesAgain: 0, rowsLostToRoster: result.rowsLost, rowsDeposited: 0 })
    expect((await tracer.preview()).totals.rowsLost).toBe(result.rowsLost)
    expect(await tracer.sync()).toMatchObject({ rowsLost: 0, rowsRefused: 0 })
  })

  it('a device fetches a pinned roster by name when a later one overtook it', async () => {
    const { federation, pinTo } = await lateRoster()
    const late = federation.rosters.pop()!
    const overtaker = federation.follow({ firstEpoch: late.roster.firstEpoch + 18 })
    federation.overtaken.push(late)
    expect(federation.rosters).toEqual([federation.certified, overtaker])
    pinTo(late)
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, now(federation), 30))
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0 })
    expect(new Set(federation.answered.map(({ roster }) => roster))).toEqual(new Set([late]))
  })

  it('a device that no peer gives the pinned roster waits, and salts once a peer has it', async () => {
    const { federation, pinTo } = await lateRoster()
    const late = federation.rosters.pop()!
    federation.follow({ firstEpoch: late.roster.firstEpoch + 18 })
    pinTo(late)
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, now(federation), 30))
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 0, fixesDeferred: 6 })
    federation.overtaken.push(late)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0 })
  })

  it('a device keeps its pins over a restart, and salts by them when no peer gives news', async () => {
    const { federation, first, pinTo } = await lateRoster()
    const storage = memoryStorage()
    pinTo(first)
    await (await openTracer(federation, { storage })).sync()
    federation.intercept = (_peer, protocol, frame, serve) =>
      protocol.id.startsWith('/geotrace/roster') ? unreachable() : serve(frame)
    const again = await openTracer(federation, { storage })
    await recordAll(again, life(CAFE, now(federation), 30))
    expect(await again.sync()).toMatchObject({ fixesHashed: 6 })
    expect(names(federation)).toEqual(new Set([0]))
  })

  it('a pin that another peer signed changes nothing', async () => {
    const { federation, first, second, epoch } = await lateRoster()
    federation.pins.push({ ...federation.pin(epoch, second), roster: first.hash })
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, now(federation), 30))
    expect(await tracer.sync()).toMatchObject({ fixesDeferred: 6, pinsContradicted: 0 })
    federation.pins.splice(0)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6 })
    expect(names(federation)).toEqual(new Set([second.roster.height]))
  })

  it('a device that the central peer refuses with a pin salts again in the same sync, and passes the pin on', async () => {
    const { federation, first, epoch } = await lateRoster()
    const tracer = await openTracer(federation)
    await recordAll(tracer, life(CAFE, now(federation), 30))
    const isFirst = (roster: Uint8Array) => Buffer.from(roster).equals(Buffer.from(hashToRosterName(first.hash)))
    federation.central.refuse = ({ roster }) => (isFirst(roster) ? undefined : 'roster')
    federation.central.pins.push(...[0, 1].map((i) => federation.pin(epoch + i, first)))
    const result = await tracer.sync()
    expect(result).toMatchObject({ fixesAgain: 6, rowsLost: 0, pinsContradicted: 0, batches: 2 })
    expect(result.rowsDeposited).toBe(result.rowsRefused)
    const passed = federation.submitted.map(({ message }) => decodeGossip(message))
    expect(passed).toHaveLength(4)
    expect(new Set(passed.map((item) => item.kind === 'pin' && item.epoch - epoch))).toEqual(new Set([0, 1]))
  })

  it('a device passes no pin on that a member gave it, and proves a pin that contradicts one', async () => {
    const { federation, first, second, pinTo } = await lateRoster()
    const refusing = async (pinned: typeof first, shown: typeof first) => {
      pinTo(pinned)
      const tracer = await openTracer(federation, { random: seededBytes(`shown ${shown.roster.height}`) })
      await recordAll(tracer, life(CAFE, now(federation), 30))
      federation.central.refuse = () => 'roster'
      federation.central.pins.splice(0)
      federation.central.pins.push(...federation.pins.map(({ epoch }) => federation.pin(epoch, shown)))
      federation.submitted.splice(0)
      return await tracer.sync()
    }
    expect(await refusing(first, first)).toMatchObject({ pinsContradicted: 0, fixesAgain: 0 })
    expect(federation.submitted).toEqual([])
    expect((await refusing(first, second)).pinsContradicted).toBeGreaterThan(0)
    expect(federation.submitted.map(({ message }) => decodeGossip(message).kind)).toEqual(['evidence', 'evidence'])
  })

  it('a device that gets two pins of one epoch in two syncs submits the evidence to two members', async () => {
    const { federation, first, second, pinTo } = await lateRoster()
    const storage = memoryStorage()
    pinTo(first)
    await (await openTracer(federation, { storage })).sync()
    pinTo(second)
    const tracer = await openTracer(federation, { storage })
    const result = await tracer.sync()
    // A device compares the pins of the epochs that salt nodes serve.
    expect(result.pinsContradicted).toBe(4)
    expect(federation.submitted).toHaveLength(2)
    expect(new Set(federation.submitted.map(({ peer }) => peer)).size).toBe(2)
    for (const { message } of federation.submitted) {
      const gossip = decodeGossip(message)
      const evidence = decodeEvidence(gossip.kind === 'evidence' ? gossip.evidence : new Uint8Array(0))
      expect(isProof(evidence, () => undefined)).toBe(true)
    }
    // A process reports a contradiction once.
    expect(await tracer.sync()).toMatchObject({ pinsContradicted: 0 })
    expect(federation.submitted).toHaveLength(2)
  })

  it('a central peer that shows two users two pins and the nodes none is proven within the sync of the second user', async () => {
    const { federation, first, second, epoch } = await lateRoster()
    const syncShown = async (user: string, shown: typeof first) => {
      const tracer = await openTracer(federation, { random: seededBytes(user) })
      await recordAll(tracer, life(CAFE, now(federation), 30))
      federation.central.refuse = () => 'roster'
      federation.central.pins.splice(0)
      federation.central.pins.push(federation.pin(epoch, shown), federation.pin(epoch + 1, shown))
      federation.submitted.splice(0)
      await tracer.sync()
      return federation.submitted.map(({ message }) => decodeGossip(message))
    }
    // The nodes know no pin. The first user tells two of them, and gossip brings it to all.
    const told = await syncShown('first user', first)
    expect(new Set(told.map(({ kind }) => kind))).toEqual(new Set(['pin']))
    for (const pin of told) {
      if (pin.kind === 'pin' && federation.pins.every((known) => known.epoch !== pin.epoch)) federation.pins.push(pin)
    }
    federation.pins.sort((a, b) => a.epoch - b.epoch)
    expect(federation.pins.map((pin) => pin.epoch)).toEqual([epoch, epoch + 1])
    const proofs = await syncShown('second user', second)
    expect(proofs.map(({ kind }) => kind)).toEqual(['evidence', 'evidence'])
    for (const gossip of proofs) {
      const evidence = decodeEvidence(gossip.kind === 'evidence' ? gossip.evidence : new Uint8Array(0))
      expect(evidence.kind).toBe('pins')
      expect(isProof(evidence, () => undefined)).toBe(true)
    }
  })
})
