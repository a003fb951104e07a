/**
 * Catches up with other peers. PROTOCOL.md §4.6, §4.7, §4.11, §7.3. It fetches the certified rosters that this peer missed,
 * the messages of the agreement in progress, and pinned rosters by their names. A peer that cannot be reached or sends a
 * bad roster is left out.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import {
  boundedMap,
  bytesToHex,
  decodePoolReply,
  decodeRosterReply,
  encodeRosterRequest,
  type FetchNamed,
  type FetchRoster,
  hashToRosterName,
  isFederationError,
  MEMBERS_MAX,
  oldestOpenEpoch,
  type Presence,
  ROSTER_PROTOCOL,
  type RosterRequest,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import { fanOut } from '../../platform/fan-out.ts'
import type { Log } from '../../platform/log.ts'
import type { Peer, Peers } from '../peers.ts'
import type { RosterStore } from '../roster-store.ts'
import type { Pool } from './pool.ts'

/** Peers asked in one round at founding, while no peer has a link yet. Later a round asks one peer. */
const ASKED_AT_FOUNDING = 16

interface CatchUpInit {
  peers: Peers
  host: Host
  rosters: RosterStore
  pool: Pool
  clock: Clock
  random: Random
  log: Log
}
export interface CatchUp {
  /** Asks one peer in turn, at founding several, and one that announced a newer or another roster. */
  listen(): Promise<void>
  /** Takes the rosters and messages of these peers. A peer that cannot be reached is left out. */
  hear(peers: readonly Peer[]): Promise<void>
  /** When this peer last gave all its rosters and messages, Unix ms; undefined before it did since our start. */
  heardMs(key: Uint8Array): number | undefined
  /** Takes nothing from running requests any more. */
  stop(): void
}

export function createCatchUp({ peers, host, rosters, pool, clock, random, log }: CatchUpInit): CatchUp {
  let asked = 0
  let isStopped = false
  const heard = boundedMap<string, number>(MEMBERS_MAX)
  const ask = (peer: Peer, request: RosterRequest): Promise<Uint8Array> =>
    host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request))

  /** Takes the rosters of one peer that follow ours, then its messages. */
  const hear = async (peer: Peer): Promise<void> => {
    await takeRosters(peer)
    const isPeer = peers.has(host.key)
    try {
      pool.offerAll(decodePoolReply(await ask(peer, { op: 'pool' })))
    } catch (error) {
      // A node that no roster names gets its own application, when the peer knows one.
      if (isPeer || !isFederationError(error, 'FORBIDDEN')) throw error
    }
    if (!isPeer) return
    heard.set(bytesToHex(peer.key), clock.now())
    await takePinned(peer)
  }
  /** The rosters that the central peer pinned and that are unknown here, because a later one overtook them. */
  const takePinned = async (peer: Peer): Promise<void> => {
    const fetch: FetchNamed = async (roster) => {
      if (isStopped) return undefined
      return decodeRosterReply(await ask(peer, { op: 'named', form: 'certificate', roster }))
    }
    for (const { roster } of pool.pins(oldestOpenEpoch(clock.now()))) {
      await rosters.fetchNamed(fetch, hashToRosterName(roster))
    }
  }
  const takeRosters = async (peer: Peer): Promise<void> => {
    const fetch: FetchRoster = async (height) => {
      if (isStopped) return undefined
      const bytes = decodeRosterReply(await ask(peer, { op: 'get', height }))
      return isStopped ? undefined : bytes
    }
    try {
      const height = heightOfOther(rosters, pool.presence(peer.key))
      if (height !== undefined) await rosters.lookBack(fetch, height)
      await rosters.follow(fetch)
    } catch (error) {
      // A forked peer takes no rosters, but still relays messages.
      if (!isFederationError(error, 'ROSTER_FORKED')) throw error
      log.error('roster.forked', { height: error.data.height })
    }
  }
  const hasNews = ({ key }: Peer): boolean => {
    const presence = pool.presence(key)
    return (presence?.height ?? 0) >= rosters.nextHeight || heightOfOther(rosters, presence) !== undefined
  }
  return {
    async listen() {
      const others = peers.others(host.key)
      if (others.length === 0) return
      const count = rosters.newest === undefined ? ASKED_AT_FOUNDING : 1
      // A peer that only claims to have news must not keep this peer from the others.
      const newer = others.filter(hasNews)
      const news = newer.length === 0 ? [] : [newer[random(1)[0]! % newer.length]!]
      const turn = others.map((_, i) => others[(asked + i) % others.length]!).slice(0, count)
      asked = (asked + count) % others.length
      await fanOut([...new Set([...news, ...turn])], hear)
    },
    hear: (some) => fanOut(some, hear),
    heardMs: (key) => heard.get(bytesToHex(key)),
    stop() {
      isStopped = true
    },
  }
}

/** The height of the newest roster that a peer announced, when it is another one than ours and unknown here. */
function heightOfOther(rosters: RosterStore, presence: Presence | undefined): number | undefined {
  const ours = presence && rosters.at(presence.height)
  if (presence === undefined || ours === undefined || presence.roster.every((byte) => byte === 0)) return undefined
  return rosters.named(presence.roster) === undefined ? presence.height : undefined
}
