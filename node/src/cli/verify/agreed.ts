/**
 * The release that a quorum of operators agreed on, from the roster in force. PROTOCOL.md §4.4, §4.8.
 * Two peers at random hand out the rosters, each chain is replayed from the founding, and both must name one roster.
 * Throws PEER_UNREACHABLE.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  EPOCH_MS,
  equalBytes,
  FederationError,
  type Manifest,
  type Roster,
  rosterChain,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import type { Output } from '../terminal/output.ts'
import { asStranger, type NamedPeer, replayFrom, toPeers } from './chain.ts'

export interface Agreed {
  /** Height of the roster in force. */
  readonly height: number
  /** The id of a release, in hex; null when the roster names none. */
  readonly release: string | null
}

/** With two peers at random. */
export function askAgreed(manifest: Manifest, out: Pick<Output, 'progress'>): Promise<Agreed> {
  return asStranger((host) => agreedBy(host, manifest, toPeers(manifest, []), out))
}

export async function agreedBy(
  host: Pick<Host, 'request'>,
  manifest: Manifest,
  peers: readonly NamedPeer[],
  out: Pick<Output, 'progress'>,
  clock: Clock = manifestClock(manifest),
): Promise<Agreed> {
  const epoch = Math.floor(clock.now() / EPOCH_MS)
  const found: CertifiedRoster[] = []
  for (const peer of peers) {
    const chain = rosterChain(manifest)
    const { problem } = await replayFrom(host, manifest, peer, out, chain)
    const certified = chain.inForce(epoch)
    if (problem !== undefined || certified === undefined) {
      const message = `${peer.name} hands out no roster for now: ${problem ?? 'ask other peers'}`
      throw new FederationError('PEER_UNREACHABLE', message, { tried: 1 })
    }
    found.push(certified)
  }
  const [first, ...others] = found
  if (!others.every(({ hash }) => equalBytes(hash, first!.hash))) {
    const message = 'two peers name different rosters for now: `geotrace verify federation` shows where they part'
    throw new FederationError('PEER_UNREACHABLE', message, { tried: found.length })
  }
  return rosterToAgreed(first!.roster)
}

function rosterToAgreed({ height, release }: Roster): Agreed {
  return { height, release: release === undefined ? null : bytesToHex(release) }
}

/** Why this release is not the one that the operators agreed on; undefined when it is. */
export function agreedToProblem({ height, release }: Agreed, id: string): string | undefined {
  if (release === id) return undefined
  if (release === null) return `Roster ${height} names no release: the operators agreed on none.`
  return `Roster ${height} names release ${release.slice(0, 16)}, and this file is release ${id.slice(0, 16)}.`
}
