/**
 * Makes the roster that follows: a pure function of the roster before, the signed changes and the opened nonces.
 * PROTOCOL.md §4.8, §4.9. Voters, nodes and clients compute the same body, byte for byte. Throws ROSTER_INVALID.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { CHANGES_PER_ROSTER_MAX, EPOCH_MS, ROSTER_MAX_BYTES, SETTLED_MAX_BYTES } from '../constants.ts'
import { bytesToHex, concatBytes, equalBytes, utf8 } from '../encoding/bytes.ts'
import { isFederationError } from '../errors.ts'
import { invalid } from '../federation/invalid-roster.ts'
import type { CertifiedRoster, Reveal, Roster, RosterPeer } from '../federation/roster.ts'
import { isGone, mayName, quorum, sponsorQuorum } from '../federation/roster-rules.ts'
import { certificateBytes, settledBytes } from '../federation/roster-size.ts'
import { assertSigned, type Change, decodeChange, type SignedChange } from './changes.ts'
import { closeDraft, type Draft, findPeer, makeChange, openDraft, type Succession } from './draft.ts'
import { isValidVote, nonceToCommitment } from './vote.ts'

/** The body that follows `previous`. Throws ROSTER_INVALID when the choice breaks a rule. */
export function succeed(previous: CertifiedRoster, { firstEpoch, changes, reveals, sheets }: Succession): Roster {
  const { roster, hash } = previous
  if (firstEpoch <= roster.firstEpoch || firstEpoch % roster.periodEpochs !== 0)
    invalid(`expected a first epoch at a period after ${roster.firstEpoch}, got ${firstEpoch}`)
  if (changes.length > CHANGES_PER_ROSTER_MAX)
    invalid(`too many changes: expected at most ${CHANGES_PER_ROSTER_MAX}, got ${changes.length}`)
  const draft = openDraft(roster)
  rank(draft, previous, reveals)
  let last = ''
  for (const encoded of changes) {
    const text = bytesToHex(encoded)
    if (text <= last) invalid('expected changes in the order of their bytes, each once')
    last = text
    applyChange(draft, roster, readChange(encoded), firstEpoch)
  }
  const next = closeDraft(draft, roster, { hash, firstEpoch, changes, reveals, sheets })
  assertFits(next, roster)
  return next
}

/** Whether rosters have room for this change. True for a change that is refused for another reason than its size. */
export function hasRoomFor({ roster, hash }: CertifiedRoster, change: Change): boolean {
  const draft = openDraft(roster)
  try {
    makeChange(draft, change)
    const rest = { hash, firstEpoch: roster.firstEpoch, changes: [], reveals: [], sheets: [] }
    return settledBytes(closeDraft(draft, roster, rest)) <= SETTLED_MAX_BYTES
  } catch (error) {
    if (!isFederationError(error, 'ROSTER_INVALID')) throw error
    return true
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

/** Ranks the peers that the roster before admitted, when a quorum of its voters opened their nonces. */
function rank(draft: Draft, { roster, hash }: CertifiedRoster, reveals: readonly Reveal[]): void {
  if (reveals.length === 0) return
  if (draft.admitted.length === 0 || reveals.length < quorum(roster.operators.length))
    invalid('reveals out of place: expected admitted peers and the nonces of a quorum')
  reveals.forEach(({ operator, nonce, signature }, i) => {
    if (i > 0 && operator <= reveals[i - 1]!.operator) invalid('expected reveals in the order of operators, each once')
    const key =
      roster.operators[operator]?.key ??
      invalid(`expected reveals of the operators before, got operator ${operator}, a stranger`)
    const vote = { commitment: nonceToCommitment(nonce), signature }
    if (!isValidVote({ ...roster, hash }, key, vote)) invalid(`operator ${operator}: nobody committed to this nonce`)
  })
  const nonces = reveals.map(({ nonce }) => nonce)
  draft.newcomers = draft.admitted.map((peer) => ({
    ...peer,
    rank: sha256(concatBytes(utf8('geotrace/rank'), peer.key, ...nonces)),
  }))
  draft.admitted = []
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
  const { federation, change } = signed
  if (!equalBytes(federation, roster.federation)) invalid('a change of another federation: sign it for this one')
  if (firstEpoch > change.until) invalid(`a change lapsed at epoch ${change.until}: sign it again`)
  assertEndorsed(draft, roster, signed)
  if ('at' in change && change.at > firstEpoch * EPOCH_MS)
    invalid(`a change is from ${change.at}, after the roster begins: check the clock of its signer`)
  if ('addresses' in change && !mayName(roster, change.addresses))
    invalid(`expected public addresses in a ${change.kind}, got one of a private network or of one machine`)
  makeChange(draft, change)
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
  const settled = settledBytes(roster)
  if (settled > SETTLED_MAX_BYTES)
    invalid(`the federation is full: expected at most ${SETTLED_MAX_BYTES} bytes, got ${settled}`)
}
