/**
 * The commitments and opened nonces that draw the ranks of new operators, as far as this peer knows them. PROTOCOL.md
 * §4.7, §4.9. All are about the newest roster: commitments for the roster that follows it, nonces that it committed to.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  type Commitment,
  equalBytes,
  type GossipCommitment,
  type GossipReveal,
  isValidCommitment,
  nonceToCommitment,
  type Roster,
} from '@geotrace/core-wasm/wire'
import type { GossipDecision } from '../../net/gossip.ts'
import type { RosterStore } from '../roster-store.ts'
import type { Voter } from './voter.ts'

/** By the index of the operator, so a table has at most one entry for each of the 300 operators. */
type Table<M> = Map<number, { readonly message: M; readonly atMs: number }>

export interface NonceTable {
  take(message: GossipCommitment | GossipReveal): GossipDecision
  /** One entry for each operator of the newest roster; with `beforeMs` only what came before that time. */
  commitments(beforeMs?: number): Roster['commitments']
  /** One entry for each commitment of the newest roster; with `beforeMs` only what came before that time. */
  reveals(beforeMs?: number): Roster['reveals']
  messages(): (GossipCommitment | GossipReveal)[]
}

export function createNonceTable(
  rosters: Pick<RosterStore, 'newest' | 'onAdd'>,
  clock: Pick<Clock, 'now'>,
): NonceTable {
  const commitments: Table<GossipCommitment> = new Map()
  const reveals: Table<GossipReveal> = new Map()
  const keep = <M extends { operator: number }>(table: Table<M>, message: M): 'accept' => {
    table.set(message.operator, { message, atMs: clock.now() })
    return 'accept'
  }
  const takeCommitment = (message: GossipCommitment): GossipDecision => {
    const { newest } = rosters
    const key = newest?.roster.operators[message.operator]?.key
    if (newest === undefined || key === undefined || !equalBytes(message.previous, newest.hash)) return 'ignore'
    if (commitments.has(message.operator)) return 'ignore'
    const isSigned = isValidCommitment(message, newest.roster.federation, newest.hash, key)
    return isSigned ? keep(commitments, message) : 'reject'
  }
  const takeReveal = (message: GossipReveal): GossipDecision => {
    const { newest } = rosters
    const committed = newest?.roster.commitments[message.operator]
    if (committed == null || message.height !== newest?.roster.height || reveals.has(message.operator)) return 'ignore'
    const isOpened = equalBytes(nonceToCommitment(message.nonce), committed.commitment)
    return isOpened ? keep(reveals, message) : 'reject'
  }
  rosters.onAdd(() => {
    commitments.clear()
    reveals.clear()
  })
  return {
    take: (message) => (message.kind === 'commitment' ? takeCommitment(message) : takeReveal(message)),
    commitments: (beforeMs) =>
      toList(
        rosters.newest?.roster.operators.length,
        commitments,
        beforeMs,
        ({ commitment, signature }): Commitment => {
          return { commitment, signature }
        },
      ),
    reveals: (beforeMs) => toList(rosters.newest?.roster.commitments.length, reveals, beforeMs, ({ nonce }) => nonce),
    messages: () => [...commitments.values(), ...reveals.values()].map(({ message }) => message),
  }
}

/** The messages of an operator that are missing in the table: its commitment for the next roster, its opened nonce. */
export function ownNonces(
  voter: Pick<Voter, 'operator' | 'commit' | 'open'>,
  { hash, roster }: CertifiedRoster,
  table: NonceTable,
): (GossipCommitment | GossipReveal)[] {
  const messages: (GossipCommitment | GossipReveal)[] = []
  const operator = voter.operator(roster)
  if (operator !== undefined && table.commitments()[operator] === null)
    messages.push({ kind: 'commitment', previous: hash, operator, ...voter.commit(roster.federation, hash) })
  const opened = voter.open(roster)
  if (opened !== undefined && table.reveals()[opened.operator] === null)
    messages.push({ kind: 'reveal', height: roster.height, ...opened })
  return messages
}

function toList<M, T>(
  length = 0,
  table: Table<M>,
  beforeMs = Number.POSITIVE_INFINITY,
  toEntry: (message: M) => T,
): (T | null)[] {
  return Array.from({ length }, (_, operator) => {
    const known = table.get(operator)
    return known !== undefined && known.atMs < beforeMs ? toEntry(known.message) : null
  })
}
