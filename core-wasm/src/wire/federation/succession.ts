/**
 * Makes the roster that follows: a pure function of the roster before, the signed changes and the opened nonces.
 * PROTOCOL.md §4.8, §4.9. Voters, nodes and clients compute the same body, byte for byte. Throws ROSTER_INVALID.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import {
  CHANGES_PER_ROSTER_MAX,
  EPOCH_MS,
  EPOCH_OPENS_BEFORE_MS,
  MEMBERS_MAX,
  MEMBERS_PER_OPERATOR_MAX,
  MINUTE_MS,
  OPERATORS_MAX,
  ROSTER_MAX_BYTES,
  SETTLED_MAX_BYTES,
} from '../constants.ts'
import { bytesToHex, concatBytes, equalBytes, utf8 } from '../encoding/bytes.ts'
import { FederationError, isFederationError } from '../errors.ts'
import { assertSigned, type Change, decodeChange, type SignedChange } from './changes.ts'
import type { CertifiedRoster, Reveal, Roster, RosterMember, RosterPeer } from './roster.ts'
import { isGone, quorum, sponsorQuorum } from './roster-rules.ts'
import { certificateBytes, settledBytes } from './roster-size.ts'
import { isValidVote, nonceToCommitment } from './vote.ts'

/** Votes end this long before the secrets of the first epoch open, because clocks differ and certificates travel. */
const VOTE_MARGIN_MS = 2 * MINUTE_MS
/** The effort: operators begin to agree on a roster at most this long before votes end. */
const EFFORT_MAX_MS = 4 * 60 * MINUTE_MS

/** The choice of a proposer. Everything else of a roster follows from the roster before. */
export interface Succession {
  firstEpoch: number
  /** Encoded, ascending by bytes. */
  changes: readonly Uint8Array[]
  reveals: readonly Reveal[]
  sheets: readonly Uint8Array[]
}

/** The effort, the time in which operators agree on a roster, Unix ms. */
export interface EffortSpan {
  from: number
  /** The second half: a replica signs the sheet of its seed although it saw no majority with that seed. */
  signAnyFrom: number
  /** The last quarter: operators accept a sheet with fewer signatures, or a vacant shard, when more are not available. */
  makeDoFrom: number
  /** Exclusive. */
  to: number
}

/** The effort for the roster that begins with this epoch. */
export function effortSpan(periodEpochs: number, firstEpoch: number): EffortSpan {
  const to = firstEpoch * EPOCH_MS - EPOCH_OPENS_BEFORE_MS - VOTE_MARGIN_MS
  const lengthMs = Math.min(periodEpochs * EPOCH_MS, EFFORT_MAX_MS)
  return { from: to - lengthMs, signAnyFrom: to - lengthMs / 2, makeDoFrom: to - lengthMs / 4, to }
}

/** The first epoch at which the next roster can begin: periods begin at multiples of their length. */
export function followingPeriod({ firstEpoch, periodEpochs }: Pick<Roster, 'firstEpoch' | 'periodEpochs'>): number {
  return (Math.floor(firstEpoch / periodEpochs) + 1) * periodEpochs
}

/** The first epoch of the next period whose effort has not ended at `nowMs`. */
export function nextFirstEpoch(roster: Roster, nowMs: number): number {
  const { periodEpochs } = roster
  let next = followingPeriod(roster)
  while (nowMs >= effortSpan(periodEpochs, next).to) next += periodEpochs
  return next
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

/** The members of the roster that follows. */
export function nextMembers(previous: Roster): RosterMember[] {
  return [...previous.members, ...previous.newcomers].filter(({ key }) => !isGone(previous, key))
}

/** The body that follows `previous`. Throws ROSTER_INVALID when the choice breaks a rule. */
export function succeed(previous: CertifiedRoster, { firstEpoch, changes, reveals, sheets }: Succession): Roster {
  const { roster, hash } = previous
  if (firstEpoch <= roster.firstEpoch || firstEpoch % roster.periodEpochs !== 0) invalid('it begins within a period')
  if (changes.length > CHANGES_PER_ROSTER_MAX) invalid('too many changes')
  const draft = openDraft(roster)
  rank(draft, previous, reveals)
  let last = ''
  for (const encoded of changes) {
    const text = bytesToHex(encoded)
    if (text <= last) invalid('its changes are not in order')
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

type Operator = Roster['operators'][number]
/** In a draft, a peer refers to its operator by object, because indices shift while operators come and go. */
type Drafted<P extends RosterPeer> = Omit<P, 'operator'> & { operator: Operator }
interface Draft {
  operators: Operator[]
  members: Drafted<RosterMember>[]
  newcomers: Drafted<RosterMember>[]
  admitted: Drafted<RosterPeer>[]
  central: Drafted<RosterPeer>
  gone: Uint8Array[]
  core: Roster['core']
  plan: Roster['plan']
  amended: number
}

function openDraft(roster: Roster): Draft {
  const operators = roster.operators.map((operator) => ({ ...operator }))
  const draft = <P extends RosterPeer>(peer: P): Drafted<P> => ({ ...peer, operator: operators[peer.operator]! })
  const stays = ({ key }: RosterPeer): boolean => !isGone(roster, key)
  return {
    operators,
    members: nextMembers(roster).map(draft),
    newcomers: [],
    admitted: roster.admitted.filter(stays).map(draft),
    central: draft(roster.central),
    gone: [...roster.gone],
    core: roster.core,
    plan: roster.plan,
    amended: roster.amended,
  }
}

/** Ranks the peers that the roster before admitted, when a quorum of its voters opened their nonces. */
function rank(draft: Draft, { roster, hash }: CertifiedRoster, reveals: readonly Reveal[]): void {
  if (reveals.length === 0) return
  if (draft.admitted.length === 0 || reveals.length < quorum(roster.operators.length)) invalid('reveals out of place')
  reveals.forEach(({ operator, nonce, signature }, i) => {
    if (i > 0 && operator <= reveals[i - 1]!.operator) invalid('its reveals are not in order')
    const key = roster.operators[operator]?.key ?? invalid('a reveal by a stranger')
    const vote = { commitment: nonceToCommitment(nonce), signature }
    if (!isValidVote({ ...roster, hash }, key, vote)) invalid('a nonce that nobody committed to')
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
  if (!equalBytes(federation, roster.federation)) invalid('a change of another federation')
  if (firstEpoch > change.until) invalid('a change that has lapsed')
  assertEndorsed(draft, roster, signed)
  if ('at' in change && change.at > firstEpoch * EPOCH_MS) invalid('a change from after the roster begins')
  makeChange(draft, change)
}

function makeChange(draft: Draft, change: Change): void {
  switch (change.kind) {
    case 'join':
      join(draft, change)
      break
    case 'leave':
    case 'expel':
    case 'lied':
      remove(draft, change.key)
      break
    case 'move':
      move(draft, change)
      break
    case 'rotate':
      rotate(draft, change)
      break
    case 'amend':
      amend(draft, change)
  }
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
      if (!has(change.key) || !has(change.operatorKey)) invalid('a join that the joiner did not sign')
      if (!isKnown && voices < sponsorQuorum(roster.operators.length)) invalid('a join without enough sponsors')
      return
    }
    case 'leave':
      if (!has(change.key) && !(peer !== undefined && has(peer.operator.key))) invalid('a leave that nobody signed')
      return
    case 'move':
      if (!has(change.key)) invalid('a move that its node did not sign')
      return
    case 'rotate':
      if (!has(change.to) || !(has(change.from) || isQuorum)) invalid('a rotation without its signatures')
      return
    case 'expel':
    case 'amend':
      if (!isQuorum) invalid('a change without a quorum')
      return
    case 'lied':
      // Each voter saw the evidence before it voted, so the certificate vouches for it.
      if (signatures.length > 0) invalid('a proof that is signed')
  }
}

function join(draft: Draft, { operator: name, operatorKey, key, addresses }: Change & { kind: 'join' }): void {
  if (isTaken(draft, key) || equalBytes(key, operatorKey)) invalid('a join under a key in use')
  let operator = draft.operators.find((item) => equalBytes(item.key, operatorKey))
  if (operator === undefined) {
    if (draft.operators.some((item) => item.name === name) || isTaken(draft, operatorKey)) invalid('a name in use')
    operator = { name, key: operatorKey }
    draft.operators.push(operator)
  }
  if (operator.name !== name) invalid('a join under another name')
  // The operator can still be listed, because its nodes hold shards to the end of this roster.
  if (isGone(draft, operatorKey)) invalid('a join by an operator that is gone')
  if (operator === draft.central.operator) invalid('the operator of the central peer holds no shard')
  const nodes = [...draft.members, ...draft.newcomers, ...draft.admitted]
  if (nodes.filter((peer) => peer.operator === operator).length >= MEMBERS_PER_OPERATOR_MAX) invalid('too many nodes')
  if (nodes.length >= MEMBERS_MAX || draft.operators.length > OPERATORS_MAX) invalid('the federation is full')
  draft.admitted.push({ key, operator, addresses, moved: 0 })
}

/** Removes a node, or an operator with all its nodes. They hold the shards of this roster, but not of the next one. */
function remove(draft: Draft, key: Uint8Array): void {
  const operator = draft.operators.find((item) => equalBytes(item.key, key))
  const nodes = [...draft.members, ...draft.newcomers, ...draft.admitted]
  const leaving = nodes.filter((peer) => peer.operator === operator || equalBytes(peer.key, key))
  if (operator === undefined && leaving.length === 0) invalid('a stranger cannot leave')
  if (operator === draft.central.operator) invalid('the operator of the central peer stays')
  const keys = [...(operator === undefined ? [] : [key]), ...leaving.map((peer) => peer.key)]
  const isNew = (item: Uint8Array): boolean => !isGone(draft, item)
  if (!isNew(key)) invalid('it is gone already')
  draft.gone.push(...keys.filter(isNew))
  const stays = (peer: Drafted<RosterPeer>): boolean => !leaving.includes(peer as never)
  draft.newcomers = draft.newcomers.filter(stays)
  draft.admitted = draft.admitted.filter(stays)
}

function move(draft: Draft, { key, addresses, at }: Change & { kind: 'move' }): void {
  const peer = findPeer(draft, key) ?? invalid('a stranger cannot move')
  // Otherwise a peer that kept an earlier move could restore the old addresses.
  if (at <= peer.moved) invalid('a move that a later one overtook')
  peer.addresses = addresses
  peer.moved = at
}

function amend(draft: Draft, { core, shards, replicas, at }: Change & { kind: 'amend' }): void {
  if (at <= draft.amended) invalid('an amendment that a later one overtook')
  draft.core = core ?? draft.core
  draft.plan = { shards: shards ?? draft.plan.shards, replicas: replicas ?? draft.plan.replicas }
  draft.amended = at
}

function rotate(draft: Draft, { from, to }: Change & { kind: 'rotate' }): void {
  const operator = draft.operators.find(({ key }) => equalBytes(key, from)) ?? invalid('no operator has that key')
  if (isTaken(draft, to)) invalid('a rotation to a key in use')
  // Otherwise a new key could undo an expulsion.
  if (isGone(draft, from)) invalid('a rotation by an operator that is gone')
  operator.key = to
  draft.gone.push(from)
}

function findPeer({ members, newcomers, admitted, central }: Draft, key: Uint8Array): Drafted<RosterPeer> | undefined {
  return [...members, ...newcomers, ...admitted, central].find((peer) => equalBytes(peer.key, key))
}

function isTaken(draft: Draft, key: Uint8Array): boolean {
  return (
    findPeer(draft, key) !== undefined ||
    draft.operators.some((operator) => equalBytes(operator.key, key)) ||
    isGone(draft, key)
  )
}

interface Rest extends Succession {
  hash: Uint8Array
}

function closeDraft(draft: Draft, previous: Roster, { hash, firstEpoch, changes, reveals, sheets }: Rest): Roster {
  const { members, newcomers, admitted, central, gone, plan, amended, core } = draft
  // A departed operator stays listed until its last node has left, because every member has an operator.
  const isNeeded = (operator: Operator): boolean =>
    !isGone(draft, operator.key) || [...members, central].some((peer) => peer.operator === operator)
  const operators = draft.operators.filter(isNeeded)
  const close = <P extends RosterPeer>(peer: Drafted<P>): P =>
    ({ ...peer, operator: operators.indexOf(peer.operator) }) as unknown as P
  const coming = [...members, ...newcomers].filter(({ key }) => !isGone(draft, key))
  if (new Set(coming.map(({ operator }) => operator)).size < plan.replicas) {
    invalid(`members of fewer than ${plan.replicas} operators would be left`)
  }
  return {
    ...previous,
    height: previous.height + 1,
    previous: hash,
    firstEpoch,
    shards: previous.plan.shards,
    replicas: previous.plan.replicas,
    operators,
    members: members.map(close),
    central: close(central),
    sheets: [...sheets],
    core,
    plan,
    amended,
    newcomers: newcomers.map(close),
    admitted: admitted.map(close),
    gone,
    changes: [...changes],
    reveals: [...reveals],
  }
}

/** Checks that this roster fits a frame, and that the settled one does: so a roster can always follow. */
function assertFits(roster: Roster, { operators }: Roster): void {
  const bytes = certificateBytes(roster, operators.length)
  if (bytes > ROSTER_MAX_BYTES) invalid(`it would be ${bytes} bytes of ${ROSTER_MAX_BYTES}`)
  const settled = settledBytes(roster)
  if (settled > SETTLED_MAX_BYTES) invalid(`the federation is full: ${settled} bytes of ${SETTLED_MAX_BYTES}`)
}

function invalid(reason: string, cause?: unknown): never {
  throw new FederationError('ROSTER_INVALID', `roster: ${reason}`, { reason }, { cause })
}
