import { testChange, testReveals, testSigner } from '@geotrace/core-wasm/testing'
import {
  blockToEpoch,
  bytesToHex,
  type CertifiedRoster,
  certifiedToStep,
  decodeRosterRequest,
  decodeSaltRequest,
  EPOCH_MS,
  EPOCH_OPENS_BEFORE_MS,
  encodeNewsReply,
  encodeRosterStep,
  equalBytes,
  followingPeriod,
  manifestToId,
  ROSTER_PROTOCOL,
  SALT_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import {
  type FakeFederation,
  fakeFederation,
  type Intercept,
  life,
  openTracer,
  unreachable,
} from '../../src/testing/fake-federation.ts'
import { CAFE, MINUTE, recordAll } from '../fixture.ts'

/** Small sheets, so that weeks of rosters cost little. */
const SMALL = { shards: 1, reserveEpochs: 2 }

const startOf = ({ roster }: CertifiedRoster) => roster.firstEpoch * EPOCH_MS
const isForked = (height: number) => ({ code: 'ROSTER_FORKED', data: { height } })

/** Records which peer was asked for which height. */
function watch(federation: FakeFederation, inner: Intercept = (_peer, _protocol, frame, serve) => serve(frame)) {
  const asked: { peer: string; height: number }[] = []
  federation.intercept = (peer, protocol, frame, serve) => {
    const request = protocol.id === ROSTER_PROTOCOL.id ? decodeRosterRequest(frame) : undefined
    if (request?.op === 'news') asked.push({ peer, height: request.height })
    return inner(peer, protocol, frame, serve)
  }
  return asked
}

/** Advances time until the roster after this one may govern what a sync needs, so that every sync asks for it. */
const untilNewsAfter = (federation: FakeFederation, { roster }: CertifiedRoster) =>
  federation.clock.advanceTo(followingPeriod(roster) * EPOCH_MS - EPOCH_OPENS_BEFORE_MS)

/** The peers that `who` selects hand out these rosters; the others hand out those of the federation. */
const goesBy =
  (who: (peer: string) => boolean, rosters: readonly CertifiedRoster[]): Intercept =>
  async (peer, protocol, frame, serve) => {
    const request = protocol.id === ROSTER_PROTOCOL.id ? decodeRosterRequest(frame) : undefined
    if (request?.op !== 'news' || !who(peer)) return serve(frame)
    const known = rosters[request.height]
    return encodeNewsReply({ pins: [], step: known && encodeRosterStep(certifiedToStep(known)) })
  }

describe('a device that was away', () => {
  it('a device catches up through three weeks of changing rosters, and each sync asks once whether there is a next one', async () => {
    const federation = await fakeFederation(SMALL)
    const storage = memoryStorage()
    const tracer = await openTracer(federation, { storage })
    await tracer.sync()
    const id = manifestToId(federation.manifest)
    const sponsors = ['operator/ash', 'operator/birch', 'operator/cedar']
    const { roster } = federation.certified
    const change = (value: Parameters<typeof testChange>[1], roles: string[]) => testChange(id, value, roles)
    const keys = { operatorKey: testSigner('operator/gum').key, key: testSigner('peer/gum').key }
    const until = roster.firstEpoch + 1_000
    const addresses = ['/ip4/127.0.0.1/tcp/4999']
    const admitting = federation.follow({
      changes: [
        change({ kind: 'join', until, operator: 'gum', ...keys, addresses }, ['operator/gum', 'peer/gum', ...sponsors]),
      ],
    })
    federation.follow({ reveals: testReveals(admitting) })
    federation.follow({
      changes: [change({ kind: 'leave', until, key: testSigner('operator/ash').key }, ['operator/ash'])],
    })
    while (federation.rosters.length < 22) federation.follow()
    const newest = federation.rosters.at(-1)!
    expect(newest.roster.members.map(({ key }) => bytesToHex(key))).toContain(bytesToHex(keys.key))
    expect(newest.roster.members).toHaveLength(5)

    await federation.clock.advanceTo(startOf(newest) + 200 * MINUTE)
    await recordAll(tracer, life(CAFE, federation.clock.now(), 30))
    const asked = watch(federation)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0 })
    expect(asked.map(({ height }) => height)).toEqual(Array.from({ length: 22 }, (_, i) => i + 1))
    expect(new Set(federation.answered.map((item) => item.roster))).toEqual(new Set([newest]))

    const again = await openTracer(federation, { storage })
    for (const next of [tracer, again, tracer]) {
      asked.length = 0
      await next.sync()
      expect(asked.map(({ height }) => height)).toEqual([22])
    }
    const late = federation.follow()
    asked.length = 0
    for (const next of [tracer, again]) await next.sync()
    expect(asked.map(({ height }) => height)).toEqual([22, 23, 22, 23])
    expect(late.roster.height).toBe(22)
  })

  it('a device asks the peers of its newest roster instead of those of the manifest', async () => {
    const federation = await fakeFederation(SMALL)
    const tracer = await openTracer(federation)
    const until = federation.certified.roster.firstEpoch + 1_000
    const leaves = testChange(
      manifestToId(federation.manifest),
      { kind: 'leave', until, key: testSigner('operator/ash').key },
      ['operator/ash'],
    )
    federation.follow({ changes: [leaves] })
    const newest = federation.follow()
    await untilNewsAfter(federation, newest)
    await tracer.sync()
    const asked = watch(federation)
    for (let i = 0; i < 12; i++) await tracer.sync()
    expect(asked.map(({ peer }) => peer)).not.toContain('ash')
    expect(new Set(asked.map(({ peer }) => peer)).size).toBeGreaterThan(2)
  })

  it('a device that loses its connection keeps its rosters and goes on from there', async () => {
    const federation = await fakeFederation(SMALL)
    const storage = memoryStorage()
    for (let i = 0; i < 4; i++) federation.follow()
    await untilNewsAfter(federation, federation.rosters.at(-1)!)
    let asked = watch(federation, (_peer, protocol, frame, serve) => {
      const request = protocol.id === ROSTER_PROTOCOL.id ? decodeRosterRequest(frame) : undefined
      return request?.op === 'news' && request.height > 2 ? unreachable() : serve(frame)
    })
    await (await openTracer(federation, { storage })).sync()
    asked = watch(federation)
    await (await openTracer(federation, { storage })).sync()
    expect(asked.map(({ height }) => height)).toEqual([3, 4, 5])
  })
})

describe('an entry', () => {
  it('a stale entry takes no roster away from the device', async () => {
    const federation = await fakeFederation(SMALL)
    const tracer = await openTracer(federation)
    const newest = federation.follow()
    await untilNewsAfter(federation, federation.certified)
    await tracer.sync()
    await untilNewsAfter(federation, newest)
    await recordAll(tracer, life(CAFE, federation.clock.now(), 30))
    const asked = watch(
      federation,
      goesBy(() => true, [federation.certified]),
    )
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6 })
    expect(asked).toHaveLength(1)
    expect(federation.answered.every((item) => item.roster === newest)).toBe(true)
  })

  it('a stale entry delays a roster until the device asks another entry', async () => {
    const federation = await fakeFederation(SMALL)
    const tracer = await openTracer(federation)
    await untilNewsAfter(federation, federation.follow())
    const asked = watch(
      federation,
      goesBy((peer) => peer !== 'fir', [federation.certified]),
    )
    for (let i = 0; i < 40 && !asked.some(({ height }) => height === 2); i++) await tracer.sync()
    expect(asked.filter(({ height }) => height === 2)).toMatchObject([{ peer: 'fir' }])
  })

  it('a device leaves an entry that sends an uncertified roster and asks the next entry', async () => {
    const federation = await fakeFederation(SMALL)
    const tracer = await openTracer(federation)
    await tracer.sync()
    const newest = federation.follow()
    await untilNewsAfter(federation, newest)
    const few = { ...newest, votes: newest.votes.slice(0, 4) }
    let first = ''
    const asked = watch(federation, (peer, protocol, frame, serve) => {
      if (protocol.id === ROSTER_PROTOCOL.id && first === '') first = peer
      return goesBy((who) => who === first, [federation.certified, few])(peer, protocol, frame, serve)
    })
    await tracer.sync()
    expect(asked.map(({ height }) => height)).toEqual([1, 1, 2])
    expect(asked[1]!.peer).not.toBe(first)
  })
})

describe('a fork', () => {
  /** Two certified rosters follow the founding, for the same period unless the second one is `periodsLater`. */
  async function forkedFederation(depth: number, periodsLater = 0) {
    const federation = await fakeFederation(SMALL)
    const founding = federation.rosters
    const grow = (next: Parameters<typeof federation.follow>[0]) => {
      federation.rosters = [...founding]
      federation.follow(next)
      for (let i = 1; i < depth; i++) federation.follow()
      return federation.rosters
    }
    const ours = grow({})
    const { firstEpoch } = ours[1]!.roster
    const theirs = grow(periodsLater > 0 ? { firstEpoch: firstEpoch + 18 * periodsLater } : { vacant: [0] })
    federation.rosters = [...theirs]
    federation.follow()
    return { federation, ours, theirs: federation.rosters }
  }

  /** A device on our branch of a fork, with half an hour of fixes. */
  async function onOurBranch() {
    const forked = await forkedFederation(1)
    const { federation, ours } = forked
    const tracer = await openTracer(federation)
    federation.rosters = ours
    await untilNewsAfter(federation, ours.at(-1)!)
    await tracer.sync()
    await recordAll(tracer, life(CAFE, federation.clock.now(), 30))
    return { ...forked, tracer }
  }

  it('a fork stops a device permanently with ROSTER_FORKED as soon as a roster of the other branch comes', async () => {
    for (const depth of [1, 3]) {
      const { federation, ours, theirs } = await forkedFederation(depth)
      const storage = memoryStorage()
      const tracer = await openTracer(federation, { storage })
      federation.rosters = ours
      await untilNewsAfter(federation, ours.at(-1)!)
      await tracer.sync()
      await recordAll(tracer, life(CAFE, federation.clock.now(), 30))
      federation.rosters = theirs
      const asked = watch(federation)
      await expect(tracer.sync()).rejects.toMatchObject(isForked(1))
      expect(asked.map(({ height }) => height)).toEqual([
        depth + 1,
        ...Array.from({ length: depth }, (_, i) => depth - i),
      ])
      // The device stays stopped, also after a restart and an erasure.
      federation.rosters = ours
      await expect(tracer.sync()).rejects.toMatchObject(isForked(1))
      const again = await openTracer(federation, { storage })
      await expect(again.sync()).rejects.toMatchObject(isForked(1))
      await again.eraseAll()
      await expect(again.sync()).rejects.toMatchObject(isForked(1))
      // The device asked neither branch for salts.
      expect(federation.answered).toEqual([])
    }
  })

  it('a fork without a next roster stops a device in the sync in which a salt node does not know its roster', async () => {
    const { federation, theirs, ours, tracer } = await onOurBranch()
    federation.rosters = theirs.slice(0, ours.length)
    await expect(tracer.sync()).rejects.toMatchObject(isForked(1))
  })

  it('a device goes on when salt nodes do not know its roster yet', async () => {
    const { federation, ours, tracer } = await onOurBranch()
    federation.rosters = ours.slice(0, -1)
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 0, fixesDeferred: 6 })
    federation.rosters = ours
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0 })
  })

  it('a device changes to the branch for a later period and follows it after a restart', async () => {
    const { federation, ours, theirs } = await forkedFederation(1, 1)
    const storage = memoryStorage()
    const tracer = await openTracer(federation, { storage })
    federation.rosters = ours
    await untilNewsAfter(federation, ours.at(-1)!)
    await tracer.sync()
    federation.rosters = theirs
    await federation.clock.advanceTo(startOf(theirs.at(-1)!) + 200 * MINUTE)
    await recordAll(tracer, life(CAFE, federation.clock.now(), 30))
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0 })
    expect(new Set(federation.answered.map(({ roster }) => roster))).toEqual(new Set([theirs.at(-1)]))
    const asked = watch(federation)
    const again = await openTracer(federation, { storage })
    await federation.clock.advanceTo(followingPeriod(theirs.at(-1)!.roster) * EPOCH_MS)
    await again.sync()
    expect(asked.map(({ height }) => height)).toEqual([3])
  })

  it('a device takes no fork from an entry whose other rosters are uncertified', async () => {
    const { federation, theirs, tracer } = await onOurBranch()
    const forged = theirs.map((item, i) => (i === 0 ? item : { ...item, votes: item.votes.slice(0, 4) }))
    const asked = watch(
      federation,
      goesBy((peer) => peer !== 'fir', forged),
    )
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 6 })
    expect(asked.at(-1)).toEqual({ peer: 'fir', height: 2 })
    // The device looked back as far as the roster that both branches share.
    expect(new Set(asked.map(({ height }) => height))).toEqual(new Set([0, 1, 2]))
  })
})

describe('a sync across the border of two rosters', () => {
  it('a sync asks for each salt under the roster in force for its epoch, from the nodes that hold it then', async () => {
    const federation = await fakeFederation({ shards: 2, reserveEpochs: 6 })
    const tracer = await openTracer(federation)
    await tracer.sync()
    const newest = federation.follow()
    const border = startOf(newest)
    await federation.clock.advanceTo(border + 40 * MINUTE)
    await recordAll(tracer, life(CAFE, federation.clock.now(), 120, 0.0003))
    const asked: { roster: Uint8Array; epochs: number[] }[] = []
    federation.intercept = (_peer, protocol, frame, serve) => {
      if (protocol.id === SALT_PROTOCOL.id) {
        const { roster, blocks } = decodeSaltRequest(frame)
        asked.push({ roster, epochs: blocks.map(({ size, n }) => blockToEpoch(size, n)) })
      }
      return serve(frame)
    }
    expect(await tracer.sync()).toMatchObject({ fixesHashed: 24, fixesDeferred: 0 })
    const names = new Set(asked.map(({ roster }) => bytesToHex(roster)))
    expect(names.size).toBe(2)
    for (const { roster, epochs } of asked) {
      const isNew = equalBytes(roster, newest.hash.slice(0, 8))
      for (const epoch of epochs) expect(epoch >= newest.roster.firstEpoch).toBe(isNew)
    }
    const [request] = federation.central.requests.slice(-1)
    expect(request!.groups.length).toBeGreaterThan(2)
    for (const { epoch, roster } of request!.groups) {
      const inForce = epoch < newest.roster.firstEpoch ? federation.certified : newest
      expect(bytesToHex(roster)).toBe(bytesToHex(inForce.hash.slice(0, 8)))
    }
  })
})
