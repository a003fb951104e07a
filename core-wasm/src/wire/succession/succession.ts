/**
 * Makes the roster that follows: a pure function of the roster before, signed changes, commitments and opened nonces.
 * PROTOCOL.md §4.8, §4.9. Voters, nodes and clients compute the same body, byte for byte. Throws ROSTER_INVALID.
 */
import { CHANGES_PER_ROSTER_MAX, EPOCH_MS, ROSTER_MAX_BYTES, SETTLED_MAX_BYTES } from '../constants.ts'
import { bytesToHex, equalBytes } from '../encoding/bytes.ts'
import { isFederationError } from '../errors.ts'
import { followingPeriod } from '../federation/effort.ts'
import { invalid } from '../federation/invalid-roster.ts'
import { drawRank, isValidCommitment, nonceToCommitment } from '../federation/ranks.ts'
import type { CertifiedRoster, Roster, RosterPeer } from '../federation/roster.ts'
import { isGone, mayName, quorum, sponsorQuorum } from '../federation/roster-rules.ts'
import { certificateBytes, settledBytes } from '../federation/roster-size.ts'
import { assertSigned, type Change, decodeChange, type SignedChange } from './changes.ts'
import { closeDraft, type Draft, findPeer, makeChange, openDraft, type Succession } from './draft.ts'

/** The body that follows `previous`. Throws ROSTER_INVALID when the choice breaks a rule. */
export function succeed(previous: CertifiedRoster, choice: Succession): Roster {
  const { roster, hash } = previous
  const { firstEpoch, changes, commitments, reveals } = choice
  if (firstEpoch <= roster.firstEpoch || firstEpoch % roster.periodEpochs !== 0)
    invalid(`expected a first epoch at a period after ${roster.firstEpoch}, got ${firstEpoch}`)
  if (changes.length > CHANGES_PER_ROSTER_MAX)
    invalid(`too many changes: expected at most ${CHANGES_PER_ROSTER_MAX}, got ${changes.length}`)
  const draft = openDraft(roster)
  rank(draft, roster, reveals)
  let last = ''
  for (const encoded of changes) {
    const text = bytesToHex(encoded)
    if (text <= last) invalid('expected changes in the order of their bytes, each once')
    last = text
    applyChange(draft, roster, readChange(encoded), firstEpoch)
  }
  const next = closeDraft(draft, roster, { ...choice, hash })
  assertCommitments(previous, next, commitments)
  assertFits(next, roster)
  return next
}

/**
 * Why no roster after `previous` can make this change, in words; undefined when one can. Missing signatures are no reason,
 * because they can still come.
 */
export function changeToProblem(
  { roster, hash }: CertifiedRoster,
  { federation, change }: Pick<SignedChange, 'federation' | 'change'>,
): string | undefined {
  const firstEpoch = followingPeriod(roster)
  try {
    assertSuits(roster, { federation, change }, firstEpoch)
    const draft = openDraft(roster)
    makeChange(draft, change)
    const rest = { hash, firstEpoch, changes: [], commitments: [], reveals: [], sheets: [] }
    assertSettles(closeDraft(draft, roster, rest))
    return undefined
  } catch (error) {
    if (!isFederationError(error, 'ROSTER_INVALID')) throw error
    return error.data.reason
  }
}

/** Whether no later roster can make this change, because it is made already or a later change overtook it. */
export function isSpent(roster: Roster, change: Change): boolean {
  const { members, newcomers, admitted, central } = roster
  const peer = (key: Uint8Array): RosterPeer | undefined =>
    [...members, ...newcomers, ...admitted, central].find((item) => equalBytes(item.key, key))
  switch (change.kind) {
    case 'amend':
      return change.at <= roster.amended
    case 'seal':
      return change.at <= central.sealed
    case 'rotate':
      return isGone(roster, change.from) || isGone(roster, change.to)
    case 'join':
      return isGone(roster, change.key) || peer(change.key) !== undefined
    case 'move':
      return isGone(roster, change.key) || change.at <= (peer(change.key)?.moved ?? 0)
    default:
      return isGone(roster, change.key)
  }
}

/**
 * Ranks the operators without a rank, when a quorum opened the nonces of the roster before. Their nodes hold shards from
 * the next roster on. The nonces were fixed before that roster admitted the operators, so no key could be chosen for them.
 */
function rank(draft: Draft, { commitments }: Roster, reveals: Succession['reveals']): void {
  if (reveals.length === 0) return
  if (reveals.length !== commitments.length)
    invalid(`reveals out of place: expected one entry for each of ${commitments.length} commitments`)
  const nonces = reveals.flatMap((nonce, i) => {
    if (nonce === null) return []
    const committed = commitments[i]
    if (committed == null || !equalBytes(nonceToCommitment(nonce), committed.commitment))
      invalid(`operator ${i} committed to another nonce: expected the nonce of its commitment`)
    return [nonce]
  })
  const need = quorum(commitments.length)
  if (nonces.length < need) invalid(`expected the nonces of a quorum of ${need} operators, got ${nonces.length}`)
  for (const operator of draft.operators) operator.rank ??= drawRank(operator.key, nonces)
  draft.newcomers = draft.admitted
  draft.admitted = []
}

/** Throws ROSTER_INVALID unless a quorum of the operators before committed, and somebody waits for a rank. */
function assertCommitments(
  { roster, hash }: CertifiedRoster,
  { admitted }: Roster,
  commitments: Succession['commitments'],
): void {
  const { operators, federation } = roster
  if (commitments.length === 0) return
  if (admitted.length === 0 || commitments.length !== operators.length)
    invalid(`commitments out of place: expected admitted nodes and one entry for each of ${operators.length} operators`)
  const given = commitments.filter((item) => item !== null).length
  const need = quorum(operators.length)
  if (given < need) invalid(`expected commitments of a quorum of ${need} operators, got ${given}`)
  commitments.forEach((item, i) => {
    if (item !== null && !isValidCommitment(item, federation, hash, operators[i]!.key))
      invalid(`the commitment of operator ${i} has a bad signature`)
  })
}

/** A change that cannot be read, or with a bad signature, spoils the roster that carries it. */
function readChange(encoded: Uint8Array): SignedChange {
  try {
    const signed = decodeChange(encoded)
    assertSigned(signed)
    return signed
  } catch (error) {
    if (!isFederationError(error, 'CHANGE_INVALID')) throw error
    return invalid(`a change: ${error.data.reason}`, error)
  }
}

function applyChange(draft: Draft, roster: Roster, signed: SignedChange, firstEpoch: number): void {
  const { change } = signed
  assertSuits(roster, signed, firstEpoch)
  assertEndorsed(draft, roster, signed)
  if ('at' in change && change.at > firstEpoch * EPOCH_MS)
    invalid(`a change is from ${change.at}, after the roster begins: check the clock of its signer`)
  makeChange(draft, change)
}

/** Checks what a change needs of the federation and of the time, apart from its signatures. */
function assertSuits(
  roster: Roster,
  { federation, change }: Pick<SignedChange, 'federation' | 'change'>,
  firstEpoch: number,
): void {
  if (!equalBytes(federation, roster.federation)) invalid('a change of another federation: sign it for this one')
  if (firstEpoch > change.until) invalid(`a change lapsed at epoch ${change.until}: sign it again`)
  if ('addresses' in change && !mayName(roster, change.addresses))
    invalid(`expected public addresses in a ${change.kind}, got one of a private network or of one machine`)
}

/** Checks the signatures that each kind of change needs; others do no harm. Operators are those of the roster before. */
function assertEndorsed(draft: Draft, roster: Roster, { change, signatures }: SignedChange): void {
  const has = (key: Uint8Array): boolean => signatures.some((item) => equalBytes(item.key, key))
  const voices = roster.operators.filter(({ key }) => !isGone(roster, key) && has(key)).length
  const isQuorum = voices >= quorum(roster.operators.length)
  const peer = 'key' in change ? findPeer(draft, change.key) : undefined
  switch (change.kind) {
    case 'join': {
      const isKnown = roster.operators.some(({ key }) => equalBytes(key, change.operatorKey))
      if (!has(change.key) || !has(change.operatorKey))
        invalid('expected signatures of the joiner and its operator under a join')
      if (!isKnown && voices < sponsorQuorum(roster.operators.length))
        invalid(`expected ${sponsorQuorum(roster.operators.length)} sponsors under a join, got ${voices}`)
      return
    }
    case 'leave':
      if (!has(change.key) && !(peer !== undefined && has(peer.operator.key)))
        invalid('expected the signature of the leaving node or its operator: nobody signed')
      return
    case 'move':
      if (!has(change.key)) invalid('expected the signature of its node under a move')
      return
    case 'seal':
      if (!has(roster.central.key)) invalid('expected the signature of the central peer under its seal key')
      return
    case 'rotate':
      if (!has(change.to) || !(has(change.from) || isQuorum))
        invalid('expected the signatures of the new key and of the old key or a quorum under a rotation')
      return
    case 'expel':
    case 'amend':
      if (!isQuorum) invalid(`expected signatures of a quorum under this change, got ${voices}`)
      return
    case 'lied':
      // Each voter saw the evidence before it voted, so the certificate vouches for it.
      if (signatures.length > 0) invalid('expected no signature under a removal for a lie, got a proof that is signed')
  }
}

/** Checks that this roster fits a frame, and that the settled one does: so a roster can always follow. */
function assertFits(roster: Roster, { operators }: Roster): void {
  const bytes = certificateBytes(roster, operators.length)
  if (bytes > ROSTER_MAX_BYTES)
    invalid(`expected at most ${ROSTER_MAX_BYTES} bytes, got ${bytes}: make fewer changes at once`)
  assertSettles(roster)
}

/** Checks that the roster fits when nothing changes any more. */
function assertSettles(roster: Roster): void {
  const settled = settledBytes(roster)
  if (settled > SETTLED_MAX_BYTES)
    invalid(`the federation is full: expected a roster of at most ${SETTLED_MAX_BYTES} bytes, got ${settled}`)
}
