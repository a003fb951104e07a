/**
 * Answers /geotrace/roster/1: rosters for everybody; sheets, votes, certificates and the time for the peers of the
 * manifest only. PROTOCOL.md §7.3. Throws FORBIDDEN to strangers, ROSTER_INVALID inside only.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  decodeCertifiedRoster,
  decodeRosterRequest,
  encodeCertifiedRoster,
  encodeDone,
  encodeRosterReply,
  encodeSheetsReply,
  encodeTimeReply,
  encodeVoteReply,
  FederationError,
  isFederationError,
  type SignedSheet,
} from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import type { Peers } from './peers.ts'
import type { RosterBook } from './roster-book.ts'
import type { Voter } from './voter.ts'

export interface RosterServiceInit {
  peers: Peers
  book: RosterBook
  clock: Clock
  signedSheets(): readonly SignedSheet[]
  voter: Voter | undefined
  /** A peer of the manifest asked for a roster: it is there, so it may be worth another try. */
  onPeer(): void
}

export function rosterService({ peers, book, clock, signedSheets, voter, onPeer }: RosterServiceInit): Handler {
  return async (bytes, from) => {
    const request = decodeRosterRequest(bytes)
    const peer = peers.withKey(from.key)
    if (request.op === 'get') {
      if (peer !== undefined) onPeer()
      const certified = book.at(request.height)
      return encodeRosterReply(certified === undefined ? undefined : encodeCertifiedRoster(certified))
    }
    if (peer === undefined) throw new FederationError('FORBIDDEN', 'only for peers of the manifest')
    switch (request.op) {
      case 'sheets':
        return encodeSheetsReply(signedSheets())
      case 'vote':
        if (voter === undefined) throw new FederationError('FORBIDDEN', 'this peer has no operator key')
        return encodeVoteReply(await refusing(() => voter.vote(decodeCertifiedRoster(request.proposal))))
      case 'certify':
        await refusing(() => book.add(decodeCertifiedRoster(request.certified)))
        return encodeDone()
      case 'time':
        return encodeTimeReply(clock.now())
    }
  }
}

/** A roster that does not stand is the asking peer's mistake, not a failure of ours. */
async function refusing<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (!isFederationError(error, 'ROSTER_INVALID')) throw error
    throw new FederationError('FORBIDDEN', 'the roster does not stand', undefined, { cause: error })
  }
}
