/**
 * The messages of members: presences, and everything that the next roster is made of. PROTOCOL.md §7.5.
 * The pool checks every message before it keeps it or passes it on (fates.ts). Tables are bounded, and a new roster
 * removes what it settles. Two signed statements that contradict each other become evidence here, no matter which peer
 * sent them.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  boundedMap,
  bytesToHex,
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
  type GossipSheets,
  type GossipVote,
  type Handover,
  isFederationError,
  isGone,
  isProof,
  type Manifest,
  MEMBERS_MAX,
  manifestToRoster,
  type Pin,
  type Presence,
  type Proposal,
  peerIdToKey,
  type Roster,
  type SignedChange,
} from '@geotrace/core-wasm/wire'
import type { GossipDecision } from '../../net/gossip.ts'
import type { RosterStore } from '../roster-store.ts'
import { createSpreadTable, type SpreadTable } from '../spread-table.ts'
import {
  changeFate,
  type Fate,
  handoverFate,
  hasStanding,
  isOpen,
  isSettled,
  type Known,
  newestOf,
  presenceFate,
  proposalFate,
  sheetsFate,
  voteFate,
} from './fates.ts'
import { createNonceTable, type NonceTable } from './nonce-table.ts'
import { poolMessages } from './pool-messages.ts'

/** Changes that wait for a roster. A peer or an operator of the federation has signed each. */
const CHANGES_MAX = 256
/** Waiting changes that one signer can bring in, so that no signer fills the table. */
const CHANGES_PER_SIGNER_MAX = 16
const EVIDENCE_MAX = 64
/** Refused evidence that is remembered: a proof of 36 evaluations takes about 17 ms, and anybody may submit evidence. */
const REFUSED_MAX = 4_096
const HANDOVERS_MAX = 64

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
  readonly spreads: SpreadTable
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

export function createPool(init: PoolInit): Pool {
  const { manifest, rosters, clock, spread } = init
  const centralKey = peerIdToKey(manifest.central.peerId)
  const known = knownTo(init)
  const epochPins = new EpochPins(known.founding.federation, centralKey)
  const nonces = createNonceTable(rosters, clock)
  const spreads = createSpreadTable(known.founding.federation, rosters, clock)
  const tables = createTables()
  const trial = createTrial(known, tables.evidence, evidenceJudge(rosters, centralKey, init.verifier))
  /** Unix ms by the names of presences. */
  const presenceMs = boundedMap<string, number>(MEMBERS_MAX)
  let moves = 0
  const listeners: ((kind: GossipKind) => void)[] = []
  const notify = (kind: GossipKind): void => {
    for (const listener of listeners) listener(kind)
  }
  const messages = poolMessages((kind) => {
    if (kind === 'pin') return epochPins.from(0).map((pin) => ({ kind, ...pin }))
    if (kind === 'spreads') return spreads.messages()
    return kind === 'nonces' ? nonces.messages() : [...tables[kind].values()]
  })
  /** Takes evidence in and publishes it. */
  const accuse = (evidence: Evidence): void => {
    const encoded = encodeEvidence(evidence)
    if (trial.take(encoded) !== 'accept') return
    spread(encodeGossip({ kind: 'evidence', evidence: encoded }))
    notify('evidence')
  }
  const onPresence = (name: string, presence: Presence): void => {
    const before = tables.presence.get(name)
    if (before === undefined || !areSame(before.addresses, presence.addresses)) moves++
    presenceMs.set(name, clock.now())
  }
  const take = createIntake({ known, tables, nonces, spreads, epochPins, onPresence, accuse, takeEvidence: trial.take })
  const offer = (bytes: Uint8Array): GossipDecision => {
    try {
      const message = decodeGossip(bytes)
      const decision = take(message)
      if (decision !== 'accept') return decision
      messages.came(message, bytes)
      notify(message.kind)
      return decision
    } catch (error) {
      // A message of a newer version is unknown here, but not invalid.
      if (isFederationError(error, 'VERSION_UNKNOWN')) return 'ignore'
      if (error instanceof FederationError) return 'reject'
      throw error
    }
  }
  rosters.onAdd(({ roster }) => dropSettled(tables, roster, known))
  return {
    ...contentsOf(tables),
    offer,
    offerAll: (offered) => void messages.missing(offered).map(offer),
    messages: messages.all,
    presenceMs: (key) => presenceMs.get(bytesToHex(key)),
    nonces,
    spreads,
    pinned: (epoch) => epochPins.rostersOf(epoch),
    pins: (from) => epochPins.from(from),
    isConvicted: trial.isConvicted,
    version: () => moves + trial.verdicts(),
    onNews: (fn) => void listeners.push(fn),
  }
}

/** The kinds that have a table of their own here. */
type Tabled = Exclude<GossipKind, 'pin' | 'commitment' | 'reveal' | 'spread-key' | 'spread'>
type Tables = { [K in Tabled]: Map<string, GossipMessage & { kind: K }> }

function createTables(): Tables {
  return {
    presence: new Map(),
    sheets: new Map(),
    proposal: new Map(),
    vote: new Map(),
    change: new Map(),
    evidence: new Map(),
    handover: boundedMap(HANDOVERS_MAX),
  }
}

/** The facts that this peer has at the moment of each question. */
function knownTo({ manifest, rosters, clock, isPeer }: PoolInit): Known {
  const founding = manifestToRoster(manifest)
  return {
    founding,
    isPeer,
    get certified() {
      return rosters.newest?.roster
    },
    get predecessor() {
      return rosters.predecessor
    },
    get nextHeight() {
      return rosters.nextHeight
    },
    get nowMs() {
      return clock.now()
    },
  }
}

function contentsOf(tables: Tables) {
  const { presence, sheets, proposal, vote, change, evidence, handover } = tables
  return {
    presences: () => [...presence.values()],
    presence: (key) => presence.get(bytesToHex(key)),
    sheets: (firstEpoch) => [...sheets.values()].filter((item) => item.firstEpoch === firstEpoch),
    proposals: (height, firstEpoch) =>
      [...proposal.values()].filter((item) => item.height === height && item.firstEpoch === firstEpoch),
    votes: (height) => [...vote.values()].filter((item) => item.height === height),
    changes: () => [...change.values()].map((item) => decodeChange(item.change)),
    evidence: () => [...evidence.values()].map((item) => decodeEvidence(item.evidence)),
    handovers: () => [...handover.values()],
  } satisfies Partial<Pool>
}

interface IntakeInit {
  known: Known
  tables: Tables
  nonces: NonceTable
  spreads: SpreadTable
  epochPins: EpochPins
  /** A presence is about to be kept under this name. */
  onPresence(name: string, presence: Presence): void
  accuse(evidence: Evidence): void
  takeEvidence(encoded: Uint8Array): GossipDecision
}

/** Returns the function that takes a message into its table. The decision says whether gossip passes the message on. */
function createIntake({ known, tables, nonces, spreads, epochPins, onPresence, accuse, takeEvidence }: IntakeInit) {
  function settle<T>(fate: Fate<T>, put: (kept: T) => void): GossipDecision {
    if (typeof fate === 'string') return fate
    for (const proof of fate.proofs) accuse(proof)
    if (fate.keep === undefined) return 'ignore'
    put(fate.keep)
    return 'accept'
  }
  function takeStatement<T>(table: Map<string, T>, name: string, fate: (before: T | undefined) => Fate<T>) {
    return settle(fate(table.get(name)), (kept) => {
      dropLate(tables, known)
      table.set(name, kept)
    })
  }
  function takeChange(encoded: Uint8Array): GossipDecision {
    const whole = decodeChange(encoded)
    const name = bytesToHex(changeToId(whole))
    const before = tables.change.get(name)
    const fate = changeFate(known, before && decodeChange(before.change), whole, (key) => hasRoom(tables, key))
    return settle(fate, (kept) => tables.change.set(name, { kind: 'change', change: encodeChange(kept) }))
  }
  function takeHandover(message: Handover): GossipDecision {
    const name = `${message.firstEpoch} ${message.shard} ${bytesToHex(message.taker)}`
    return settle(handoverFate(known, tables.handover.get(name), message), (kept) => {
      tables.handover.delete(name)
      tables.handover.set(name, kept)
    })
  }
  return (message: GossipMessage): GossipDecision => {
    switch (message.kind) {
      case 'presence': {
        const name = bytesToHex(message.key)
        const fate = presenceFate(known, tables.presence.get(name), message)
        return settle(fate, (kept) => {
          onPresence(name, kept)
          tables.presence.set(name, kept)
        })
      }
      case 'sheets':
        return takeStatement(tables.sheets, `${message.firstEpoch} ${bytesToHex(message.key)}`, (before) =>
          sheetsFate(known, before?.sheets ?? [], message),
        )
      case 'proposal':
        return takeStatement(tables.proposal, `${message.firstEpoch} ${message.operator}`, (before) =>
          proposalFate(known, before, message),
        )
      case 'vote':
        return takeStatement(tables.vote, `${message.firstEpoch} ${message.operator}`, (before) =>
          voteFate(known, before, message),
        )
      case 'commitment':
      case 'reveal':
        return nonces.take(message)
      case 'change':
        return takeChange(message.change)
      case 'evidence':
        return takeEvidence(message.evidence)
      case 'handover':
        return takeHandover(message)
      case 'spread-key':
      case 'spread':
        return settle(spreads.take(message), () => {})
      case 'pin':
        return takePin(epochPins.take(message, known.nowMs), accuse)
    }
  }
}

function takePin(fate: ReturnType<EpochPins['take']>, accuse: (evidence: Evidence) => void): GossipDecision {
  if (typeof fate === 'object') accuse(fate)
  return fate === 'new' ? 'accept' : fate === 'invalid' ? 'reject' : 'ignore'
}

interface Trial {
  take(encoded: Uint8Array): GossipDecision
  isConvicted(key: Uint8Array): boolean
  /** How much evidence was accepted. */
  verdicts(): number
}

/** Accepts the first proof against each key. */
function createTrial(known: Known, table: Tables['evidence'], judge: Judge): Trial {
  const accused = new Set<string>()
  const convicted = new Set<string>()
  return {
    take(encoded) {
      const evidence = decodeEvidence(encoded)
      const name = bytesToHex(evidenceToId(evidence))
      const key = bytesToHex(evidence.key)
      const isAbout = hasStanding(known, evidence.key) && !isGone(newestOf(known), evidence.key)
      if (!isAbout || accused.has(key) || table.size >= EVIDENCE_MAX) return 'ignore'
      const judged = judge(evidence, name)
      if (judged !== 'accept') return judged
      table.set(name, { kind: 'evidence', evidence: encoded })
      accused.add(key)
      if (evidence.kind !== 'pins') convicted.add(key)
      return 'accept'
    },
    isConvicted: (key) => convicted.size > 0 && convicted.has(bytesToHex(key)),
    verdicts: () => accused.size,
  }
}

type Judge = (evidence: Evidence, name: string) => GossipDecision

/** Judges evidence by its own bytes and the rosters known here. A refused one costs nothing when it comes again. */
function evidenceJudge(rosters: RosterStore, centralKey: Uint8Array, verifier: EvaluationVerifier): Judge {
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

/** Agreement may fail for many periods in a row. Messages about the first of them make room. */
function dropLate({ sheets, proposal, vote }: Tables, known: Known): void {
  for (const table of [sheets, proposal, vote]) {
    for (const [name, { firstEpoch }] of table) if (!isOpen(known, firstEpoch)) table.delete(name)
  }
}

/** Drops what a new roster settles. */
function dropSettled(tables: Tables, roster: Roster, known: Known): void {
  for (const table of [tables.sheets, tables.proposal, tables.vote]) table.clear()
  for (const [name, { change }] of tables.change) {
    if (isSettled(newestOf(known), decodeChange(change))) tables.change.delete(name)
  }
  for (const [name, { evidence }] of tables.evidence) {
    if (isGone(roster, decodeEvidence(evidence).key)) tables.evidence.delete(name)
  }
  for (const [name, { key }] of tables.presence) if (!known.isPeer(key)) tables.presence.delete(name)
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
