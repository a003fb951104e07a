/**
 * Decides what the pool does with a message, given what this peer knows. PROTOCOL.md §7.5. Pure.
 * A message is ignored, refused as invalid, or kept. Proofs are contradictions with what the signer said before.
 * `changeFate` throws CHANGE_INVALID for a signature that is not valid.
 */
import {
  addSignatures,
  assertSigned,
  type Change,
  type Evidence,
  equalBytes,
  type GossipSheets,
  type GossipVote,
  type Handover,
  isSpent,
  isValidHandover,
  isValidPresence,
  isValidProposal,
  isValidSignature,
  isValidVote,
  MINUTE_MS,
  nextMembers,
  type Presence,
  type Proposal,
  type Roster,
  type SignedChange,
  type SignedSheet,
  sheetContent,
  sheetEpochs,
} from '@geotrace/core-wasm/wire'
import type { RosterStore } from '../roster-store.ts'
import { mergeSheets, twoProposals, twoVotes } from './contradictions.ts'
import { isPeriodOpen } from './period.ts'

/** A presence or handover further from our clock says nothing about the present. */
const PRESENCE_SKEW_MAX_MS = 10 * MINUTE_MS

/** The facts that this peer has when a message comes. */
export interface Known {
  readonly founding: Roster
  /** Undefined before the founding roster is certified. */
  readonly certified: Roster | undefined
  /** The hash and the operators of the roster or manifest that the next roster follows. */
  readonly predecessor: Pick<RosterStore['predecessor'], 'hash' | 'operators'>
  /** Height of the next roster. */
  readonly nextHeight: number
  readonly nowMs: number
  /** Whether the key is that of a member, a newcomer or the central peer. */
  isPeer(key: Uint8Array): boolean
}

export type Fate<T> = 'ignore' | 'reject' | { readonly keep?: T; readonly proofs: readonly Evidence[] }

export function presenceFate(known: Known, before: Presence | undefined, message: Presence): Fate<Presence> {
  if (before !== undefined && before.time >= message.time) return 'ignore'
  if (!known.isPeer(message.key) || !isNow(known, message.time)) return 'ignore'
  return isValidPresence(message) ? keep(message) : 'reject'
}

export function handoverFate(known: Known, before: Handover | undefined, message: Handover): Fate<Handover> {
  if (before !== undefined && before.time >= message.time) return 'ignore'
  const arePeers = known.isPeer(message.giver) && known.isPeer(message.taker)
  if (!arePeers || !isNow(known, message.time)) return 'ignore'
  return isValidHandover(message) ? keep(message) : 'reject'
}

/** Keeps the new sheets together with those that the member sent before. */
export function sheetsFate(known: Known, before: readonly SignedSheet[], message: GossipSheets): Fate<GossipSheets> {
  const { key, previous, firstEpoch } = message
  const { founding, predecessor } = known
  // A peer that has another newest roster signs for another predecessor, which is no fault.
  if (!equalBytes(previous, predecessor.hash)) return 'ignore'
  if (!isCandidate(known, key) || !isOpen(known, firstEpoch)) return 'ignore'
  const head = { federation: founding.federation, previous, firstEpoch, epochs: sheetEpochs(founding) }
  const isKnown = ({ shard, root }: SignedSheet): boolean =>
    before.some((sheet) => sheet.shard === shard && equalBytes(sheet.root, root))
  const isSigned = ({ shard, root, signature }: SignedSheet): boolean =>
    isValidSignature(key, 'geotrace/sheet', sheetContent({ ...head, shard, root }), signature)
  const { shards } = newestOf(known).plan
  const fresh = message.sheets.filter((sheet) => sheet.shard < shards && !isKnown(sheet))
  if (fresh.length === 0) return 'ignore'
  if (!fresh.every(isSigned)) return 'reject'
  const { sheets, hasNew, evidence } = mergeSheets(key, head, before, fresh)
  return { ...(hasNew && { keep: { ...message, sheets } }), proofs: evidence }
}

export function proposalFate(known: Known, before: Proposal | undefined, message: Proposal): Fate<Proposal> {
  const { federation } = known.founding
  return statementFate(known, before, message, {
    isValid: (key) => isValidProposal(federation, message, key),
    contradict: (key, first) => twoProposals(federation, key, first, message),
  })
}

export function voteFate(known: Known, before: GossipVote | undefined, message: GossipVote): Fate<GossipVote> {
  const { federation } = known.founding
  return statementFate(known, before, message, {
    isValid: (key) => isValidVote({ ...message, federation }, key, message),
    contradict: (key, first) => twoVotes(federation, key, first, message),
  })
}

/** One statement of an operator for each period; another one contradicts it. */
function statementFate<T extends Pick<GossipVote, 'height' | 'firstEpoch' | 'operator' | 'hash'>>(
  known: Known,
  before: T | undefined,
  message: T,
  rules: { isValid(key: Uint8Array): boolean; contradict(key: Uint8Array, first: T): Evidence },
): Fate<T> {
  const key = known.predecessor.operators[message.operator]?.key
  if (message.height !== known.nextHeight || key === undefined || !isOpen(known, message.firstEpoch)) return 'ignore'
  if (before !== undefined && equalBytes(before.hash, message.hash)) return 'ignore'
  if (!rules.isValid(key)) return 'reject'
  return before === undefined ? keep(message) : { proofs: [rules.contradict(key, before)] }
}

/** Keeps the change with the signatures that came before. `hasRoom`: whether this signer may bring in another change. */
export function changeFate(
  known: Known,
  before: SignedChange | undefined,
  whole: SignedChange,
  hasRoom: (key: Uint8Array) => boolean,
): Fate<SignedChange> {
  if (!equalBytes(whole.federation, known.founding.federation)) return 'reject'
  if (isSettled(newestOf(known), whole)) return 'ignore'
  // Signatures of strangers prove nothing, and they would leave no room for signatures that are missing.
  const signatures = whole.signatures.filter(({ key }) => hasStanding(known, key) || isParty(whole.change, key))
  const signed = { ...whole, signatures }
  assertSigned(signed)
  if (before === undefined) {
    return signatures.some(({ key }) => hasStanding(known, key) && hasRoom(key)) ? keep(signed) : 'ignore'
  }
  const all = addSignatures(signed, before.signatures)
  return before.signatures.length === all.signatures.length ? 'ignore' : keep(all)
}

/** Only operators and peers may bring in changes, and evidence may concern only them. */
export function hasStanding(known: Known, key: Uint8Array): boolean {
  return known.isPeer(key) || newestOf(known).operators.some((operator) => equalBytes(operator.key, key))
}

/** Whether no roster after `newest` can make this change. */
export function isSettled(newest: Roster, { change }: SignedChange): boolean {
  return change.kind === 'lied' || change.until <= newest.firstEpoch || isSpent(newest, change)
}

/** Whether agreement on the period that begins with this epoch is open. */
export function isOpen({ certified, founding, nowMs }: Known, firstEpoch: number): boolean {
  return certified === undefined ? firstEpoch === founding.firstEpoch : isPeriodOpen(certified, firstEpoch, nowMs)
}

export function newestOf({ certified, founding }: Known): Roster {
  return certified ?? founding
}

function keep<T>(message: T): Fate<T> {
  return { keep: message, proofs: [] }
}

function isNow({ nowMs }: Known, time: number): boolean {
  return Math.abs(time - nowMs) <= PRESENCE_SKEW_MAX_MS
}

function isCandidate({ certified, founding }: Known, key: Uint8Array): boolean {
  const members = certified === undefined ? founding.members : nextMembers(certified)
  return members.some((member) => equalBytes(member.key, key))
}

/** Whether the change needs the signature of this key. */
function isParty(change: Change, key: Uint8Array): boolean {
  const parties = [
    ...('key' in change ? [change.key] : []),
    ...(change.kind === 'join' ? [change.operatorKey] : []),
    ...(change.kind === 'rotate' ? [change.from, change.to] : []),
  ]
  return parties.some((party) => equalBytes(party, key))
}
