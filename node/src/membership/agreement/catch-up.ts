/**
 * How a peer hears from others what it missed: rosters that were certified, and what is being said. PROTOCOL.md §4.6, §4.7.
 */

import type { Random } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodePoolReply,
  decodeRosterReply,
  encodeRosterRequest,
  equalBytes,
  hashToRosterName,
  isFederationError,
  type PeerAddress,
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

/** Peers asked in one round at founding, when nobody is linked yet; later one. */
const ASKED_AT_FOUNDING = 16
/** How far back it is looked where two chains of rosters part. */
const STEPS_BACK_MAX = 30

export interface CatchUpInit {
  peers: Peers
  host: Host
  rosters: RosterStore
  pool: Pool
  random: Random
  log: Log
  isStopped(): boolean
}
export interface CatchUp {
  /** Hears one peer, at founding several: one that has news if there is any, else each in turn. */
  listen(): Promise<void>
  /** Takes what these peers have; whoever cannot be reached is left out. */
  hear(peers: readonly Peer[]): Promise<void>
}

export function createCatchUp({ peers, host, rosters, pool, random, log, isStopped }: CatchUpInit): CatchUp {
  let asked = 0
  const ask = (peer: PeerAddress, request: RosterRequest): Promise<Uint8Array> =>
    host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request))

  /** Takes what one peer has: the rosters that follow ours, then what is being said. */
  const hear = async (peer: Peer): Promise<void> => {
    const height = heightOfAnother(pool.presence(peer.key))
    if (height !== undefined) await goBack(peer, height)
    for (;;) {
      const next = rosters.all.length
      const bytes = decodeRosterReply(await ask(peer, { op: 'get', height: next }))
      if (bytes === undefined || isStopped()) break
      if (!(await add(decodeCertifiedRoster(bytes), () => goBack(peer, next - 1)))) break
    }
    if (!peers.has(host.key)) return
    pool.offerAll(decodePoolReply(await ask(peer, { op: 'pool' })))
  }
  /** Adds a roster; one that does not follow ours may follow from another of an earlier height. */
  const add = async (certified: CertifiedRoster, otherwise: () => Promise<void>): Promise<boolean> => {
    try {
      return await rosters.add(certified)
    } catch (error) {
      if (isFederationError(error, 'ROSTER_FORKED')) log.error('roster.forked', { height: certified.roster.height })
      if (isFederationError(error, 'ROSTER_INVALID')) await otherwise()
      throw error
    }
  }
  /** Looks for the height at which its rosters part from ours: two certificates there are a fork. */
  const goBack = async (peer: Peer, height: number): Promise<void> => {
    for (let at = height; at >= 0 && at > height - STEPS_BACK_MAX && !isStopped(); at--) {
      const bytes = decodeRosterReply(await ask(peer, { op: 'get', height: at }))
      if (bytes === undefined) return
      const isOurs = await add(decodeCertifiedRoster(bytes), async () => {}).then(
        () => true,
        (error: unknown) => !isFederationError(error, 'ROSTER_INVALID'),
      )
      if (isOurs) return
    }
  }
  /** The height of its newest roster, when that is not ours of this height. */
  const heightOfAnother = (said: Presence | undefined): number | undefined => {
    const ours = said && rosters.at(said.height)
    if (said === undefined || ours === undefined || said.roster.every((byte) => byte === 0)) return undefined
    return equalBytes(hashToRosterName(ours.hash), said.roster) ? undefined : said.height
  }
  return {
    async listen() {
      const others = peers.others(host.key)
      if (others.length === 0) return
      const count = rosters.newest === undefined ? ASKED_AT_FOUNDING : 1
      const hasNews = ({ key }: Peer): boolean => {
        const said = pool.presence(key)
        return (said?.height ?? 0) >= rosters.all.length || heightOfAnother(said) !== undefined
      }
      const newer = others.filter(hasNews)
      const start = newer.length > 0 ? random(1)[0]! % newer.length : asked
      const turn = newer.length > 0 ? newer : others
      asked = (asked + count) % others.length
      await fanOut(turn.map((_, i) => turn[(start + i) % turn.length]!).slice(0, count), hear)
    },
    hear: (some) => fanOut(some, hear),
  }
}
