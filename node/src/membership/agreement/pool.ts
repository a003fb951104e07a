/**
 * The messages of members: presences, and everything that the next roster is made of. PROTOCOL.md §7.5.
 * The pool checks every message before it keeps it or passes it on. Tables are bounded, and a new roster removes what it
 * settles. Two signed statements that contradict each other become evidence here, no matter which peer sent them.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  addSignatures,
  assertSigned,
  boundedMap,
  bytesToHex,
  type Change,
  changeToId,
  decodeChange,
  decodeEvidence,
  decodeGossip,
  EpochPins,
  type EvaluationVerifier,
  type Evidence,
  encodeChange,
  encodeEvidence,
  encodeGossip,
  equalBytes,
  evidenceToId,
  FederationError,
  type GossipKind,
  type GossipMessage,
  type GossipPin,
  type GossipSheets,
  type GossipVote,
  type Handover,
  isFederationError,
  isGone,
  isProof,
  isSpent,
  isValidHandover,
  isValidPresence,
  isValidProposal,
  isValidSignature,
  isValidVote,
  type Manifest,
  MEMBERS_MAX,
  MINUTE_MS,
  manifestToRoster,
  nextMembers,
  type Pin,
  type Presence,
  type Proposal,
  peerIdToKey,
  type Roster,
  type SignedChange,
  type SignedSheet,
  sheetContent,
  sheetEpochs,
} from '@geotrace/core-wasm/wire'
import type { GossipDecision } from '../../net/gossip.ts'
import type { RosterStore } from '../roster-store.ts'
import { mergeSheets, twoProposals, twoVotes } from './contradictions.ts'
import { createNonceTable, type NonceTable } from './nonce-table.ts'
import { isPeriodOpen } from './period.ts'

/** A presence or handover further from our clock says nothing about the present. */
const PRESENCE_SKEW_MAX_MS = 10 * MINUTE_MS
/** Changes that wait for a roster. A peer or an operator of the federation has signed each. */
const CHANGES_MAX = 256
/** Waiting changes that one signer can bring in, so that no signer fills the table. */
const CHANGES_PER_SIGNER_MAX = 16
const EVIDENCE_MAX = 64
/** Refused evidence that is remembered: a proof of 36 evaluations takes about 17 ms, and anybody may submit evidence. */
const REFUSED_MAX = 4_096
const HANDOVERS_MAX = 64
/** Sheets in one message, 98 bytes each. A member that holds more shards sends several messages. */
const SHEETS_PER_MESSAGE = 300

interface PoolInit {
  manifest: Manifest
  rosters: RosterStore
  clock: Clock
  /** Whether the key is that of a member, a newcomer or the central peer. */
  isPeer(key: Uint8Array): boolean
  /** Publishes a message that the pool made itself: evidence. */
  spread(message: Uint8Array): void
  readonly verifier: EvaluationVerifier
}
export interface Pool {
  /** Takes a message in; the decision says whether gossip passes the message on. */
  offer(message: Uint8Array): GossipDecision
  /** Takes in all messages of another peer. Most of them are usually here already. */
  offerAll(messages: readonly Uint8Array[]): void
  /** All messages for a peer that was away. Those that voters need come first, because a reply is bounded. */
  messages(): Uint8Array[]
  presences(): Presence[]
  presence(key: Uint8Array): Presence | undefined
  /** When the newest presence of this peer came, by our clock, Unix ms. */
  presenceMs(key: Uint8Array): number | undefined
  sheets(firstEpoch: number): GossipSheets[]
  proposals(height: number, firstEpoch: number): Proposal[]
  /** Votes for the roster of this height, of any period. */
  votes(height: number): GossipVote[]
  readonly nonces: NonceTable
  changes(): SignedChange[]
  evidence(): Evidence[]
  handovers(): Handover[]
  /** The rosters that the central peer pinned for this epoch, by their hashes. */
  pinned(epoch: number): Uint8Array[]
  /** The pins of this epoch and of later ones, ascending. */
  pins(from: number): Pin[]
  /** Whether evidence against this key is proven. No roster can replace the central peer, so its pins convict nobody. */
  isConvicted(key: Uint8Array): boolean
  /** Another number after each conviction and whenever a presence gives other addresses. */
  version(): number
  /** Calls `fn` after each message that was new. */
  onNews(fn: (kind: GossipKind) => void): void
}

export function createPool({ manifest, rosters, clock, isPeer, spread, verifier }: PoolInit): Pool {
  const founding = manifestToRoster(manifest)
  const centralKey = peerIdToKey(manifest.central.peerId)
  const epochPins = new EpochPins(founding.federation, centralKey)
  const nonces = createNonceTable(rosters, clock)
  const tables: Tables = {
    presence: new Map(),
    sheets: new Map(),
    proposal: new Map(),
    vote: new Map(),
    change: new Map(),
    evidence: new Map(),
    handover: boundedMap(HANDOVERS_MAX),
  }
  const encoded = new WeakMap<GossipMessage, readonly Encoded[]>()
  /** Unix ms by the names of presences. */
  const presenceMs = boundedMap<string, number>(MEMBERS_MAX)
  const accused = new Set<string>()
  const convicted = new Set<string>()
  let version = 0
  const judge = evidenceJudge(rosters, centralKey, verifier)
  const listeners: ((kind: GossipKind) => void)[] = []
  const newest = (): Roster => rosters.newest?.roster ?? founding
  const height = (): number => rosters.nextHeight
  const isCandidate = (key: Uint8Array): boolean => {
    const members = rosters.newest === undefined ? founding.members : nextMembers(rosters.newest.roster)
    return members.some((member) => equalBytes(member.key, key))
  }
  const isNow = (time: number): boolean => Math.abs(time - clock.now()) <= PRESENCE_SKEW_MAX_MS

  const takePresence = (message: Presence): GossipDecision => {
    const name = bytesToHex(message.key)
    const before = tables.presence.get(name)
    if (before !== undefined && before.time >= message.time) return 'ignore'
    if (!isPeer(message.key) || !isNow(message.time)) return 'ignore'
    if (!isValidPresence(message)) return 'reject'
    if (before === undefined || !areSame(before.addresses, message.addresses)) version++
    tables.presence.set(name, message)
    presenceMs.set(name, clock.now())
    return 'accept'
  }

  const takeSheets = (message: GossipSheets): GossipDecision => {
    const { key, previous, firstEpoch } = message
    const name = `${firstEpoch} ${bytesToHex(key)}`
    // A peer that has another newest roster signs for another predecessor, which is no fault.
    if (!equalBytes(previous, rosters.predecessor.hash)) return 'ignore'
    if (!isCandidate(key) || !isPeriod(firstEpoch)) return 'ignore'
    const { shards } = newest().plan
    const head = { federation: founding.federation, previous, firstEpoch, epochs: sheetEpochs(founding) }
    const known = tables.sheets.get(name)?.sheets ?? []
    const isKnown = ({ shard, root }: SignedSheet): boolean =>
      known.some((sheet) => sheet.shard === shard && equalBytes(sheet.root, root))
    const isSigned = ({ shard, root, signature }: SignedSheet): boolean =>
      isValidSignature(key, 'geotrace/sheet', sheetContent({ ...head, shard, root }), signature)
    const fresh = message.sheets.filter((sheet) => sheet.shard < shards && !isKnown(sheet))
    if (fresh.length === 0) return 'ignore'
    if (!fresh.every(isSigned)) return 'reject'
    const { sheets, hasNew, evidence } = mergeSheets(key, head, known, fresh)
    for (const proof of evidence) accuse(proof)
    if (!hasNew) return 'ignore'
    forgetLate()
    tables.sheets.set(name, { ...message, sheets })
    return 'accept'
  }

  const takeProposal = (message: Proposal): GossipDecision => {
    const name = `${message.firstEpoch} ${message.operator}`
    const key = rosters.predecessor.operators[message.operator]?.key
    if (message.height !== height() || key === undefined || !isPeriod(message.firstEpoch)) return 'ignore'
    const before = tables.proposal.get(name)
    if (before !== undefined && equalBytes(before.hash, message.hash)) return 'ignore'
    if (!isValidProposal(founding.federation, message, key)) return 'reject'
    if (before !== undefined) return accuse(twoProposals(founding.federation, key, before, message))
    forgetLate()
    tables.proposal.set(name, message)
    return 'accept'
  }

  const takeVote = (message: GossipVote): GossipDecision => {
    const name = `${message.firstEpoch} ${message.operator}`
    const key = rosters.predecessor.operators[message.operator]?.key
    if (message.height !== height() || key === undefined || !isPeriod(message.firstEpoch)) return 'ignore'
    const before = tables.vote.get(name)
    if (before !== undefined && equalBytes(before.hash, message.hash)) return 'ignore'
    if (!isValidVote({ ...message, federation: founding.federation }, key, message)) return 'reject'
    if (before !== undefined) return accuse(twoVotes(founding.federation, key, before, message))
    forgetLate()
    tables.vote.set(name, message)
    return 'accept'
  }

  const takeChange = (encoded: Uint8Array): GossipDecision => {
    const whole = decodeChange(encoded)
    if (!equalBytes(whole.federation, founding.federation)) return 'reject'
    if (isSettled(whole)) return 'ignore'
    // Signatures of strangers prove nothing, and they would leave no room for signatures that are missing.
    const signatures = whole.signatures.filter(({ key }) => hasStanding(key) || isParty(whole.change, key))
    const signed = { ...whole, signatures }
    assertSigned(signed)
    const name = bytesToHex(changeToId(signed))
    const before = tables.change.get(name)
    const all = before === undefined ? signed : addSignatures(signed, decodeChange(before.change).signatures)
    if (before !== undefined && decodeChange(before.change).signatures.length === all.signatures.length) return 'ignore'
    if (before === undefined && !signatures.some(({ key }) => hasStanding(key) && hasRoom(tables, key))) return 'ignore'
    tables.change.set(name, { kind: 'change', change: encodeChange(all) })
    return 'accept'
  }
  /** Only operators and peers may bring in changes. */
  const hasStanding = (key: Uint8Array): boolean =>
    isPeer(key) || newest().operators.some((operator) => equalBytes(operator.key, key))
  const isSettled = ({ change }: SignedChange): boolean =>
    change.kind === 'lied' || change.until <= newest().firstEpoch || isSpent(newest(), change)

  const takeEvidence = (encoded: Uint8Array): GossipDecision => {
    const evidence = decodeEvidence(encoded)
    const name = bytesToHex(evidenceToId(evidence))
    const isAbout = hasStanding(evidence.key) && !isGone(newest(), evidence.key)
    if (!isAbout || accused.has(bytesToHex(evidence.key)) || tables.evidence.size >= EVIDENCE_MAX) return 'ignore'
    const judged = judge(evidence, name)
    if (judged !== 'accept') return judged
    tables.evidence.set(name, { kind: 'evidence', evidence: encoded })
    accused.add(bytesToHex(evidence.key))
    if (evidence.kind !== 'pins') convicted.add(bytesToHex(evidence.key))
    version++
    return 'accept'
  }
  /** Takes evidence in and publishes it. The message that completed it is ignored. */
  const accuse = (evidence: Evidence): 'ignore' => {
    const encoded = encodeEvidence(evidence)
    if (takeEvidence(encoded) !== 'accept') return 'ignore'
    spread(encodeGossip({ kind: 'evidence', evidence: encoded }))
    notify('evidence')
    return 'ignore'
  }

  const takeHandover = (message: Handover): GossipDecision => {
    const name = `${message.firstEpoch} ${message.shard} ${bytesToHex(message.taker)}`
    const before = tables.handover.get(name)
    if (before !== undefined && before.time >= message.time) return 'ignore'
    if (!isPeer(message.giver) || !isPeer(message.taker) || !isNow(message.time)) return 'ignore'
    if (!isValidHandover(message)) return 'reject'
    tables.handover.delete(name)
    tables.handover.set(name, message)
    return 'accept'
  }

  const takePin = (message: GossipPin): GossipDecision => {
    const fate = epochPins.take(message, clock.now())
    if (typeof fate === 'object') return accuse(fate)
    return fate === 'new' ? 'accept' : fate === 'invalid' ? 'reject' : 'ignore'
  }

  const isPeriod = (firstEpoch: number): boolean =>
    rosters.newest === undefined
      ? firstEpoch === founding.firstEpoch
      : isPeriodOpen(rosters.newest.roster, firstEpoch, clock.now())
  /** Agreement may fail for many periods in a row. Messages about the first of them make room. */
  const forgetLate = (): void => {
    for (const table of [tables.sheets, tables.proposal, tables.vote]) {
      for (const [name, { firstEpoch }] of table) if (!isPeriod(firstEpoch)) table.delete(name)
    }
  }

  const take = (message: GossipMessage): GossipDecision => {
    switch (message.kind) {
      case 'presence':
        return takePresence(message)
      case 'sheets':
        return takeSheets(message)
      case 'proposal':
        return takeProposal(message)
      case 'vote':
        return takeVote(message)
      case 'commitment':
      case 'reveal':
        return nonces.take(message)
      case 'change':
        return takeChange(message.change)
      case 'evidence':
        return takeEvidence(message.evidence)
      case 'handover':
        return takeHandover(message)
      case 'pin':
        return takePin(message)
    }
  }
  /** Every peer that was away asks for all messages, so each message is encoded once. */
  const toEncoded = (message: GossipMessage): readonly Encoded[] => {
    const known = encoded.get(message)
    if (known !== undefined) return known
    const parts = (message.kind === 'sheets' ? toSheetMessages(message) : [message]).map((part) => {
      const bytes = encodeGossip(part)
      return { bytes, name: toName(bytes) }
    })
    encoded.set(message, parts)
    return parts
  }
  const messagesOf = (kind: Tabled | 'nonces'): GossipMessage[] =>
    kind === 'nonces' ? nonces.messages() : [...tables[kind].values()]
  const all = (): Encoded[] =>
    epochPins.from(0).map(toEncodedPin).concat(BY_NEED.flatMap(messagesOf).flatMap(toEncoded))
  const offer = (bytes: Uint8Array): GossipDecision => {
    try {
      const message = decodeGossip(bytes)
      const decision = take(message)
      if (decision !== 'accept') return decision
      // A message has one encoding only, so the bytes that came can be passed on.
      encoded.set(message, [{ bytes: bytes.slice(), name: toName(bytes) }])
      notify(message.kind)
      return decision
    } catch (error) {
      // A message of a newer version is unknown here, but not invalid.
      if (isFederationError(error, 'VERSION_UNKNOWN')) return 'ignore'
      if (error instanceof FederationError) return 'reject'
      throw error
    }
  }
  const notify = (kind: GossipKind): void => {
    for (const listener of listeners) listener(kind)
  }

  rosters.onAdd(({ roster }) => dropSettled(tables, roster, { isSettled, isPeer }))

  return {
    offer,
    offerAll(messages) {
      const held = new Set(all().map(({ name }) => name))
      for (const bytes of messages) if (!held.has(toName(bytes))) offer(bytes)
    },
    messages: () => all().map(({ bytes }) => bytes),
    presences: () => [...tables.presence.values()],
    presence: (key) => tables.presence.get(bytesToHex(key)),
    presenceMs: (key) => presenceMs.get(bytesToHex(key)),
    sheets: (firstEpoch) => [...tables.sheets.values()].filter((item) => item.firstEpoch === firstEpoch),
    proposals: (wanted, firstEpoch) =>
      [...tables.proposal.values()].filter((item) => item.height === wanted && item.firstEpoch === firstEpoch),
    votes: (wanted) => [...tables.vote.values()].filter((item) => item.height === wanted),
    nonces,
    changes: () => [...tables.change.values()].map(({ change }) => decodeChange(change)),
    evidence: () => [...tables.evidence.values()].map(({ evidence }) => decodeEvidence(evidence)),
    handovers: () => [...tables.handover.values()],
    pinned: (epoch) => epochPins.rostersOf(epoch),
    pins: (from) => epochPins.from(from),
    isConvicted: (key) => convicted.size > 0 && convicted.has(bytesToHex(key)),
    version: () => version,
    onNews: (fn) => void listeners.push(fn),
  }
}

/** The kinds that have a table of their own here. */
type Tabled = Exclude<GossipKind, 'pin' | 'commitment' | 'reveal'>
type Tables = { [K in Tabled]: Map<string, GossipMessage & { kind: K }> }

/** Judges evidence by its own bytes and the rosters known here. A refused one costs nothing when it comes again. */
function evidenceJudge(
  rosters: RosterStore,
  centralKey: Uint8Array,
  verifier: EvaluationVerifier,
): (evidence: Evidence, name: string) => GossipDecision {
  const refused = boundedMap<string, true>(REFUSED_MAX)
  return (evidence, name) => {
    if (refused.has(name)) return 'reject'
    if (evidence.kind === 'pins' && !equalBytes(evidence.key, centralKey)) return 'reject'
    // A roster that this peer lacks may come later, so such evidence is not refused.
    const isAnswer = evidence.kind === 'answer' || evidence.kind === 'evaluation'
    if (isAnswer && rosters.named(evidence.request.slice(2, 10)) === undefined) return 'ignore'
    if (isProof(evidence, rosters.named, verifier)) return 'accept'
    refused.set(name, true)
    return 'reject'
  }
}

function hasRoom({ change: waiting }: Tables, key: Uint8Array): boolean {
  const own = [...waiting.values()].filter(({ change }) =>
    decodeChange(change).signatures.some((item) => equalBytes(item.key, key)),
  )
  return waiting.size < CHANGES_MAX && own.length < CHANGES_PER_SIGNER_MAX
}

interface Settling {
  isSettled(change: SignedChange): boolean
  isPeer(key: Uint8Array): boolean
}

/** Drops what a new roster settles. */
function dropSettled(tables: Tables, roster: Roster, { isSettled, isPeer }: Settling): void {
  for (const table of [tables.sheets, tables.proposal, tables.vote]) table.clear()
  for (const [name, { change }] of tables.change) if (isSettled(decodeChange(change))) tables.change.delete(name)
  for (const [name, { evidence }] of tables.evidence) {
    if (isGone(roster, decodeEvidence(evidence).key)) tables.evidence.delete(name)
  }
  for (const [name, { key }] of tables.presence) if (!isPeer(key)) tables.presence.delete(name)
}

/** The order of `messages()`. Presences are many and are sent again by themselves, so they come last. */
const BY_NEED: readonly (Tabled | 'nonces')[] = [
  'evidence',
  'vote',
  'proposal',
  'nonces',
  'sheets',
  'change',
  'handover',
  'presence',
]
/** An encoded message, and its bytes as a map key. */
interface Encoded {
  readonly bytes: Uint8Array
  readonly name: string
}

/** Bytes as a map key: one character a byte. */
function toName(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function toEncodedPin(pin: Pin): Encoded {
  const bytes = encodeGossip({ kind: 'pin', ...pin })
  return { bytes, name: toName(bytes) }
}

/** Splits a member's sheets into messages of at most `SHEETS_PER_MESSAGE`. */
export function toSheetMessages(message: GossipSheets): GossipSheets[] {
  const count = Math.ceil(message.sheets.length / SHEETS_PER_MESSAGE)
  return Array.from({ length: count }, (_, i) => {
    const sheets = message.sheets.slice(i * SHEETS_PER_MESSAGE, (i + 1) * SHEETS_PER_MESSAGE)
    return { ...message, sheets }
  })
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

function areSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
