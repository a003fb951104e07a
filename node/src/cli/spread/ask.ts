/**
 * Asks a federation for its published spreads as a stranger, and checks them. PROTOCOL.md §4.6, §9.9. The rosters are replayed
 * from the founding, because they name the tellers. Throws PEER_UNREACHABLE, COMMAND_INVALID.
 */
import { findSpreads, type PublishedSpreads } from '@geotrace/core-wasm/spread'
import {
  EPOCH_MS,
  FederationError,
  type Manifest,
  manifestToId,
  type PeerAddress,
  ROSTER_PROTOCOL,
  type RosterChain,
  rosterChain,
  type SpreadParameters,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import type { Output } from '../terminal/output.ts'
import type { NamedPeer } from '../verify/chain.ts'
import { replayFrom } from '../verify/chain.ts'

/** Members of the newest roster that are asked when the first peers have nothing. */
const MEMBERS_ASKED = 3

export interface AskedSpreads extends PublishedSpreads {
  /** The spread of the roster in force; undefined when the federation counts no places. */
  parameters: SpreadParameters | undefined
}

export async function askSpreads(
  host: Pick<Host, 'request'>,
  manifest: Manifest,
  peers: readonly NamedPeer[],
  { nowMs, period, out }: { nowMs: number; period: number | undefined; out: Pick<Output, 'progress'> },
): Promise<AskedSpreads> {
  const chain = await replay(host, manifest, peers, out)
  const members: PeerAddress[] = chain.newest!.roster.members.slice(0, MEMBERS_ASKED)
  out.progress('asking for the counts …')
  const found = await findSpreads({
    inForce: chain.inForce,
    federation: manifestToId(manifest),
    nowMs,
    period,
    peers: [...peers, ...members].map((peer) => (frame) => host.request(peer, ROSTER_PROTOCOL, frame)),
  })
  const inForce = chain.inForce(Math.floor(nowMs / EPOCH_MS)) ?? chain.newest
  return { ...found, parameters: inForce?.roster.spread }
}

/** The chain of the first peer that hands one out. */
async function replay(
  host: Pick<Host, 'request'>,
  manifest: Manifest,
  peers: readonly NamedPeer[],
  out: Pick<Output, 'progress'>,
): Promise<RosterChain> {
  const problems: string[] = []
  for (const peer of peers) {
    const chain = rosterChain(manifest)
    const { problem } = await replayFrom(host, manifest, peer, out, chain)
    if (problem === undefined) return chain
    problems.push(`${peer.name}: ${problem}`)
  }
  throw new FederationError('PEER_UNREACHABLE', `no peer hands out the rosters: ${problems.join('; ')}`, {
    tried: peers.length,
  })
}
