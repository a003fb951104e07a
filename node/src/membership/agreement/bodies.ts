/**
 * Fetches and keeps the bodies of proposals, which gossip names only by their hashes. PROTOCOL.md §4.7, §7.3.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  assertProposal,
  boundedMap,
  bytesToHex,
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeRosterReply,
  encodeRosterRequest,
  equalBytes,
  isFederationError,
  type Predecessor,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import type { Log } from '../../platform/log.ts'
import type { Peers } from '../peers.ts'

/** Bodies that are kept, of at most 256 KiB each. */
const BODIES_MAX = 16
/** A body that no peer had is asked for again after this time. */
const FETCH_AGAIN_MS = 4_000

export interface Bodies {
  /** The proposal with this hash, if it is known here. */
  get(hash: Uint8Array): CertifiedRoster | undefined
  keep(proposal: CertifiedRoster): void
  /** A proposal that follows from `predecessor`. Asks the holder first, then every linked peer. */
  fetch(predecessor: Predecessor, hash: Uint8Array, holder: Uint8Array): Promise<CertifiedRoster | undefined>
  /** Forgets all bodies: a roster was certified, so they are of no use. */
  clear(): void
}

export function createBodies(init: { peers: Peers; host: Host; clock: Clock; log: Log }): Bodies {
  const { peers, host, clock, log } = init
  const bodies = boundedMap<string, CertifiedRoster>(BODIES_MAX)
  /** When a body was not found, or did not follow from the roster before; Unix ms by hash in hex. */
  const missed = boundedMap<string, number>(BODIES_MAX)

  const keep = (proposal: CertifiedRoster): void => {
    bodies.set(bytesToHex(proposal.hash), proposal)
  }
  return {
    get: (hash) => bodies.get(bytesToHex(hash)),
    keep,
    async fetch(predecessor, hash, holder) {
      const name = bytesToHex(hash)
      const known = bodies.get(name)
      const missedMs = missed.get(name)
      if (known !== undefined || (missedMs !== undefined && clock.now() - missedMs < FETCH_AGAIN_MS)) return known
      const others = peers.others(host.key)
      const first = others.filter(({ key }) => equalBytes(key, holder))
      const linked = others.filter(({ key }) => !equalBytes(key, holder) && host.isLinked(key))
      const request = encodeRosterRequest({ op: 'body', hash })
      for (const peer of [...first, ...linked]) {
        try {
          const bytes = decodeRosterReply(await host.request(peer, ROSTER_PROTOCOL, request))
          const proposal = bytes && decodeCertifiedRoster(bytes)
          if (proposal === undefined || !equalBytes(proposal.hash, hash)) continue
          // The hash does not cover the sheets' signatures, so one peer's copy may be spoiled and another's sound.
          assertProposal(predecessor, proposal)
          keep(proposal)
          return proposal
        } catch (error) {
          if (!isFederationError(error)) throw error
          if (error.code === 'ROSTER_INVALID') log.warn('council.body-unsound')
        }
      }
      missed.set(name, clock.now())
      return undefined
    },
    clear() {
      bodies.clear()
      missed.clear()
    },
  }
}
