/**
 * Catches up with other peers: fetches the certified rosters that this peer missed, then the messages of the agreement
 * in progress. PROTOCOL.md §4.6, §4.7, §7.3. A peer that cannot be reached or sends a bad roster is left out.
 */

import type { Random } from '@geotrace/core-wasm'
import {
  decodePoolReply,
  decodeRosterReply,
  encodeRosterRequest,
  equalBytes,
  type FetchRoster,
  hashToRosterName,
  isFederationError,
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
  random: Random
  log: Log
  isStopped(): boolean
}
interface CatchUp {
  /** Asks one peer, at founding several: first a peer that announced a newer or another roster, else each in turn. */
  listen(): Promise<void>
  /** Takes the rosters and messages of these peers. A peer that cannot be reached is left out. */
  hear(peers: readonly Peer[]): Promise<void>
}

export function createCatchUp({ peers, host, rosters, pool, random, log, isStopped }: CatchUpInit): CatchUp {
  let asked = 0
  const ask = (peer: Peer, request: RosterRequest): Promise<Uint8Array> =>
    host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request))

  /** Takes the rosters of one peer that follow ours, then its messages. */
  const hear = async (peer: Peer): Promise<void> => {
    await takeRosters(peer)
    if (!peers.has(host.key)) return
    pool.offerAll(decodePoolReply(await ask(peer, { op: 'pool' })))
  }
  const takeRosters = async (peer: Peer): Promise<void> => {
    const fetch: FetchRoster = async (height) => {
      if (isStopped()) return undefined
      const bytes = decodeRosterReply(await ask(peer, { op: 'get', height }))
      return isStopped() ? undefined : bytes
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
    return (presence?.height ?? 0) >= rosters.all.length || heightOfOther(rosters, presence) !== undefined
  }
  return {
    async listen() {
      const others = peers.others(host.key)
      if (others.length === 0) return
      const count = rosters.newest === undefined ? ASKED_AT_FOUNDING : 1
      const newer = others.filter(hasNews)
      const start = newer.length > 0 ? random(1)[0]! % newer.length : asked
      const turn = newer.length > 0 ? newer : others
      asked = (asked + count) % others.length
      await fanOut(turn.map((_, i) => turn[(start + i) % turn.length]!).slice(0, count), hear)
    },
    hear: (some) => fanOut(some, hear),
  }
}

/** The height of the newest roster that a peer announced, when it is not our roster of that height. */
function heightOfOther(rosters: RosterStore, presence: Presence | undefined): number | undefined {
  const ours = presence && rosters.at(presence.height)
  if (presence === undefined || ours === undefined || presence.roster.every((byte) => byte === 0)) return undefined
  return equalBytes(hashToRosterName(ours.hash), presence.roster) ? undefined : presence.height
}
