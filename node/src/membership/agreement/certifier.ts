/**
 * Makes a certificate of a proposal and a quorum of votes, and adds it to the roster store. PROTOCOL.md §4.7.
 * A certificate that the store refuses is skipped, so that no proposal and no vote stops the others.
 * Throws ROSTER_FORKED.
 */
import {
  type CertifiedRoster,
  equalBytes,
  isFederationError,
  isVacant,
  type Predecessor,
  quorum,
} from '@geotrace/core-wasm/wire'
import type { Log } from '../../platform/log.ts'
import type { RosterStore } from '../roster-store.ts'
import type { Bodies } from './bodies.ts'
import type { Pool } from './pool.ts'
import { groupVotes, type VoteGroup, votesForCertificate } from './vote-groups.ts'

interface CertifierInit {
  rosters: RosterStore
  pool: Pick<Pool, 'votes' | 'proposals'>
  bodies: Pick<Bodies, 'fetch'>
  /** The peer that is asked for a body whose proposal is unknown here. */
  ownKey: Uint8Array
  log: Log
}

/** Certifies the roster of this height when a quorum voted for it, even after its period has begun. */
export async function certify(init: CertifierInit, height: number, predecessor: Predecessor): Promise<void> {
  const need = quorum(predecessor.operators.length)
  for (const group of groupVotes(init.pool.votes(height))) {
    if (group.votes.length < need) return
    const certified = await toCertified(init, group, predecessor, need)
    if (certified !== undefined && (await isAdded(init, certified))) return
  }
}

async function toCertified(
  { pool, bodies, ownKey }: CertifierInit,
  { firstEpoch, hash, votes }: VoteGroup,
  predecessor: Predecessor,
  need: number,
): Promise<CertifiedRoster | undefined> {
  const { height } = votes[0]!
  const holder = pool.proposals(height, firstEpoch).find((item) => equalBytes(item.hash, hash))?.holder
  const proposal = await bodies.fetch(predecessor, hash, holder ?? ownKey)
  if (proposal === undefined || proposal.roster.firstEpoch !== firstEpoch) return undefined
  const sound = votesForCertificate(proposal, predecessor.operators, votes, need)
  return sound && { ...proposal, votes: sound }
}

/** True when the store has the roster of this height now, so no other group can be certified. */
async function isAdded({ rosters, log }: CertifierInit, certified: CertifiedRoster): Promise<boolean> {
  const { height } = certified.roster
  try {
    if (await rosters.add(certified)) noteCertified(log, certified)
    return true
  } catch (error) {
    if (!isFederationError(error, 'ROSTER_INVALID')) throw error
    log.warn('council.refused', { height, code: error.code })
    return false
  }
}

function noteCertified(log: Log, { roster, votes }: CertifiedRoster): void {
  const vacant = roster.sheets.filter((_, shard) => isVacant(roster, shard)).length
  log.info('roster.certified', { height: roster.height, votes: votes.length })
  if (vacant > 0) log.warn('roster.vacant-shards', { height: roster.height, vacant })
}
