import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { evaluationVerifier, loadGroup } from '@geotrace/core-wasm/voprf'
import {
  type CertifiedRoster,
  encodeGossip,
  encodeRefusal,
  FederationError,
  hashToRosterName,
  manifestToId,
  signPresence,
} from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCatchUp } from '../../../src/membership/agreement/catch-up.ts'
import { createPool } from '../../../src/membership/agreement/pool.ts'
import { type Standing, toStanding, watchStanding } from '../../../src/membership/agreement/standing.ts'
import { livePeers } from '../../../src/membership/peers.ts'
import { rosterService } from '../../../src/membership/roster-service.ts'
import { openRosterStore, type RosterStore } from '../../../src/membership/roster-store.ts'
import type { Host } from '../../../src/net/protocol.ts'
import { silent } from '../../../src/platform/log.ts'
import { FOUNDED, follow, founded, NAMES, peerSigner } from '../chain.ts'
import { hex, memoryRecords } from './council-world.ts'

const view = (operator: number, more: Partial<Parameters<typeof toStanding>[1][number]> = {}) => ({
  operator,
  isAgreeing: false,
  isAhead: false,
  isExamined: false,
  ...more,
})
const agreeing = (operator: number) => view(operator, { isAgreeing: true })
const ahead = (operator: number, isExamined = true) => view(operator, { isAhead: true, isExamined })

describe('the standing of a peer', () => {
  it('a peer is current when enough operators agree, and nodes of one operator count once', () => {
    expect(toStanding(2, [agreeing(0), agreeing(1)])).toBe('current')
    expect(toStanding(2, [agreeing(0), agreeing(0), view(1)])).toBe('apart')
    expect(toStanding(2, [])).toBe('apart')
  })

  it('an announced roster is checked first, and one operator alone keeps no peer in doubt', () => {
    const two = [agreeing(0), agreeing(1)]
    expect(toStanding(2, [...two, ahead(2, false)])).toBe('checking')
    expect(toStanding(2, [...two, ahead(2), ahead(2), ahead(2)])).toBe('current')
    expect(toStanding(2, [...two, ahead(2), ahead(3)])).toBe('apart')
  })

  it('fewer operators than needed can neither vouch for a peer nor keep it apart for long', () => {
    const one = fc.record({
      operator: fc.nat({ max: 2 }),
      isAgreeing: fc.boolean(),
      isAhead: fc.boolean(),
      isExamined: fc.constant(true),
    })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20 }), fc.boolean(), (liars, isHonestMajority) => {
        const honest = isHonestMajority ? [10, 11, 12, 13].map(agreeing) : []
        expect(toStanding(4, [...liars, ...honest])).toBe(isHonestMajority ? 'current' : 'apart')
      }),
    )
  })
})

interface Other {
  name: string
  rosters: RosterStore
  isUp: boolean
  asked: number
}

/** The central peer of six operators with its first roster, and the other peers as functions. */
async function scene() {
  const { manifest, first } = founded({ shards: 1, periodEpochs: 18 })
  const clock = simulatedClock(FOUNDED)
  const own = peerSigner('office')
  const open = async (...rosters: CertifiedRoster[]) => {
    const store = await openRosterStore(manifest, memoryRecords())
    for (const roster of rosters) await store.add(roster)
    return store
  }
  const rosters = await open(first)
  const others: Other[] = []
  for (const name of NAMES.filter((item) => item !== 'office')) {
    others.push({ name, rosters: await open(first), isUp: true, asked: 0 })
  }
  const byKey = new Map(others.map((other) => [hex(peerSigner(other.name).key), other]))
  const peers = livePeers({
    manifest,
    newest: () => rosters.newest?.roster,
    addresses: () => [],
    isConvicted: () => false,
    version: () => 0,
  })
  const verifier = evaluationVerifier(await loadGroup())
  const pool = createPool({ manifest, rosters, clock, isPeer: peers.has, verifier, spread: () => {} })
  const host = {
    key: own.key,
    isLinked: () => true,
    async request(peer: { key: Uint8Array }, _protocol: unknown, bytes: Uint8Array) {
      const other = byKey.get(hex(peer.key))!
      other.asked++
      if (!other.isUp) throw new FederationError('PEER_UNREACHABLE', 'down', { tried: 1 })
      const { rosters: theirs } = other
      const service = { peers, rosters: theirs, clock, body: () => undefined, pins: () => [] }
      const federation = manifestToId(manifest)
      const rest = { federation, messages: () => [], application: () => undefined, submit: () => false }
      const presence = () => undefined
      const answer = rosterService({ ...service, ...rest, presence, spreads: pool.spreads })
      return await answer(bytes, { key: own.key } as never).catch(() => encodeRefusal({ status: 255, number: 0 }))
    },
  } as unknown as Host
  let drawn = 0
  const random = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37 + drawn++ * 101) & 255)
  const catchUp = createCatchUp({ peers, host, rosters, pool, clock, random, log: silent })
  const sinceMs = () => clock.now() - 90_000
  const watch = watchStanding({ ownKey: own.key, peers, rosters, pool, catchUp, clock, random, sinceMs })
  let announced = 0
  const announce = (other: Other, { roster, hash }: CertifiedRoster): void => {
    const here = { time: clock.now() + announced++, height: roster.height, release: new Uint8Array(8), addresses: [] }
    const presence = signPresence(peerSigner(other.name), { ...here, roster: hashToRosterName(hash) })
    expect(pool.offer(encodeGossip(presence))).toBe('accept')
  }
  return { clock, first, rosters, others, watch, announce }
}

const states = async (clock: SimulatedClock, watch: { state(): Standing }, seconds: number): Promise<Standing[]> => {
  const seen: Standing[] = []
  for (let i = 0; i < seconds; i++) {
    await clock.advanceTo(clock.now() + 1_000)
    seen.push(watch.state())
  }
  return seen
}

describe('the standing of the central peer', () => {
  it('the central peer catches up with a third of the operators before it is current', async () => {
    const { clock, others, watch } = await scene()
    for (const other of others.slice(2)) other.isUp = false
    expect(watch.state()).toBe('catching-up')
    watch.start()
    expect(new Set(await states(clock, watch, 60))).toEqual(new Set(['catching-up']))
    // Two of six operators are no third and one more.
    others[2]!.isUp = true
    expect((await states(clock, watch, 20)).at(-1)).toBe('current')
    watch.stop()
  })

  it('the central peer takes the newer roster of a peer while it catches up', async () => {
    const { clock, first, rosters, others, watch } = await scene()
    const next = follow(first)
    for (const other of others) await other.rosters.add(next)
    watch.start()
    expect((await states(clock, watch, 10)).at(-1)).toBe('current')
    expect(rosters.newest?.hash).toEqual(next.hash)
  })

  it('the central peer that nobody answers is apart after two minutes, and current soon after others answer', async () => {
    const { clock, others, watch } = await scene()
    for (const other of others) other.isUp = false
    watch.start()
    expect(new Set(await states(clock, watch, 119))).toEqual(new Set(['catching-up']))
    expect(new Set(await states(clock, watch, 60))).toEqual(new Set(['apart']))
    for (const other of others) other.isUp = true
    expect((await states(clock, watch, 35)).at(-1)).toBe('current')
    watch.stop()
  })

  it('the central peer that hears of nobody for a while is apart until presences come', async () => {
    const { clock, first, others, watch, announce } = await scene()
    watch.start()
    expect((await states(clock, watch, 10)).at(-1)).toBe('current')
    expect((await states(clock, watch, 120)).at(-1)).toBe('apart')
    for (const other of others.slice(0, 2)) announce(other, first)
    expect(watch.state()).toBe('apart')
    announce(others[2]!, first)
    expect(watch.state()).toBe('current')
  })

  it('an announced roster is fetched from the peer that announced it', async () => {
    const { clock, first, rosters, others, watch, announce } = await scene()
    watch.start()
    await states(clock, watch, 10)
    const next = follow(first)
    await others[4]!.rosters.add(next)
    announce(others[4]!, next)
    expect(watch.state()).toBe('checking')
    expect((await states(clock, watch, 2)).at(-1)).toBe('current')
    expect(rosters.newest?.hash).toEqual(next.hash)
  })

  it('a peer that announces rosters without giving one is asked once an hour, and keeps the central peer in doubt no longer', async () => {
    const { clock, first, others, watch, announce } = await scene()
    watch.start()
    await states(clock, watch, 10)
    const [liar, ...honest] = others as [Other, ...Other[]]
    const before = liar.asked
    for (let i = 0; i < 50; i++) {
      announce(liar, follow(first))
      for (const other of honest) announce(other, first)
      await clock.advanceTo(clock.now() + 60_000)
      expect(watch.state()).toBe('current')
    }
    // Two requests ask for its rosters, and one for the messages of its pool.
    expect(liar.asked - before).toBeLessThanOrEqual(4)
    const another = follow(first)
    for (const other of others.slice(0, 3)) announce(other, another)
    await states(clock, watch, 5)
    expect(watch.state()).toBe('apart')
  })
})
