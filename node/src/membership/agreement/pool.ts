/**
 * What members are saying: presences, and all that the next roster is made of. PROTOCOL.md §7.5. Every message is
 * checked before it is kept or passed on; tables are bounded; what the newest roster settles is dropped.
 * Two signed things that contradict each other become evidence here, whoever brought them.
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
  type Evidence,
  encodeChange,
  encodeEvidence,
  encodeGossip,
  equalBytes,
  evidenceToId,
  FederationError,
  type GossipKind,
  type GossipMessage,
  type GossipReveal,
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
  MINUTE_MS,
  manifestToRoster,
  nextMembers,
  nonceToCommitment,
  type Presence,
  type Proposal,
  type Roster,
  type SignedChange,
  type SignedSheet,
  sheetContent,
  sheetEpochs,
} from '@geotrace/core-wasm/wire'
import type { GossipDecision } from '../../net/gossip.ts'
import type { RosterStore } from '../roster-store.ts'
import { isPeriodOpen } from './period.ts'

/** A presence from a clock farther off says nothing about now. */
const PRESENCE_SKEW_MAX_MS = 10 * MINUTE_MS
/** Changes that wait for a roster; each is signed by somebody of the federation. */
const CHANGES_MAX = 256
/** Of one signer, so that nobody fills the table for all. */
const CHANGES_PER_SIGNER_MAX = 16
const EVIDENCE_MAX = 64
const HANDOVERS_MAX = 64
/** Sheets in one message, 98 bytes each; who holds more shards sends several. */
const SHEETS_PER_MESSAGE = 300

export interface PoolInit {
  manifest: Manifest
  rosters: RosterStore
  clock: Clock
  /** Has a part in the federation: member, newcomer, central peer. */
  isPeer(key: Uint8Array): boolean
  /** Passes on what was not told to it but made here: evidence. */
  spread(message: Uint8Array): void
}
export interface Pool {
  /** Takes a message in; says whether it is worth passing on. */
  offer(message: Uint8Array): GossipDecision
  /** Takes in all that somebody else has to say; most of it is here already as a rule. */
  offerAll(messages: readonly Uint8Array[]): void
  /** All that somebody who was away should hear; what voters must know comes first, since a reply has an end. */
  messages(): Uint8Array[]
  presences(): Presence[]
  presence(key: Uint8Array): Presence | undefined
  sheets(firstEpoch: number): GossipSheets[]
  proposals(height: number, firstEpoch: number): Proposal[]
  /** For the roster of this height, whatever its period. */
  votes(height: number): GossipVote[]
  reveals(height: number): GossipReveal[]
  changes(): SignedChange[]
  evidence(): Evidence[]
  handovers(): Handover[]
  /** Proven to have contradicted itself. */
  isConvicted(key: Uint8Array): boolean
  /** Another number after each conviction and whenever a presence tells of other addresses. */
  told(): number
  /** Calls `fn` after each message that was new. */
  onNews(fn: (kind: GossipKind) => void): void
}

export function createPool({ manifest, rosters, clock, isPeer, spread }: PoolInit): Pool {
  const founding = manifestToRoster(manifest)
  const tables: { [K in GossipKind]: Map<string, GossipMessage & { kind: K }> } = {
    presence: new Map(),
    sheets: new Map(),
    proposal: new Map(),
    vote: new Map(),
    reveal: new Map(),
    change: new Map(),
    evidence: new Map(),
    handover: boundedMap(HANDOVERS_MAX),
  }
  const encoded = new WeakMap<GossipMessage, readonly Encoded[]>()
  const convicted = new Set<string>()
  let told = 0
  const listeners: ((kind: GossipKind) => void)[] = []
  const newest = (): Roster => rosters.newest?.roster ?? founding
  const height = (): number => rosters.all.length
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
    if (before === undefined || !areSame(before.addresses, message.addresses)) told++
    tables.presence.set(name, message)
    return 'accept'
  }

  const takeSheets = (message: GossipSheets): GossipDecision => {
    const { key, firstEpoch } = message
    const name = `${firstEpoch} ${bytesToHex(key)}`
    if (!isCandidate(key) || !isPeriod(firstEpoch)) return 'ignore'
    const { shards } = newest().plan
    const head = { federation: founding.federation, firstEpoch, epochs: sheetEpochs(founding) }
    const known = new Map((tables.sheets.get(name)?.sheets ?? []).map((sheet) => [sheet.shard, sheet]))
    const isKnown = ({ shard, root }: SignedSheet): boolean => equalBytes(known.get(shard)?.root ?? NO_ROOT, root)
    const isSigned = ({ shard, root, signature }: SignedSheet): boolean =>
      isValidSignature(key, 'geotrace/sheet', sheetContent({ ...head, shard, root }), signature)
    const fresh = message.sheets.filter((sheet) => sheet.shard < shards && !isKnown(sheet))
    if (fresh.length === 0) return 'ignore'
    if (!fresh.every(isSigned)) return 'reject'
    const before = known.size
    // One by one: two roots for one shard may come in one message.
    for (const sheet of fresh) {
      const first = known.get(sheet.shard)
      if (first === undefined) known.set(sheet.shard, sheet)
      else if (!equalBytes(first.root, sheet.root)) {
        const { shard, ...second } = sheet
        accuse({ kind: 'sheets', key, ...head, shard, first: { root: first.root, signature: first.signature }, second })
      }
    }
    if (known.size === before) return 'ignore'
    forgetLate()
    tables.sheets.set(name, { ...message, sheets: [...known.values()] })
    return 'accept'
  }

  const takeProposal = (message: Proposal): GossipDecision => {
    const name = `${message.firstEpoch} ${message.operator}`
    const key = rosters.predecessor.operators[message.operator]?.key
    if (message.height !== height() || key === undefined || !isPeriod(message.firstEpoch)) return 'ignore'
    if (tables.proposal.has(name)) return 'ignore'
    if (!isValidProposal(message, key)) return 'reject'
    forgetLate()
    tables.proposal.set(name, message)
    return 'accept'
  }

  const takeVote = (message: GossipVote): GossipDecision => {
    const name = `${message.firstEpoch} ${message.operator}`
    const key = rosters.predecessor.operators[message.operator]?.key
    if (message.height !== height() || key === undefined || !isPeriod(message.firstEpoch)) return 'ignore'
    const before = tables.vote.get(name)
    const isSame = before !== undefined && equalBytes(before.hash, message.hash)
    if (isSame && equalBytes(before.commitment, message.commitment)) return 'ignore'
    if (!isValidVote({ ...message, federation: founding.federation }, key, message)) return 'reject'
    if (before !== undefined) {
      accuse({
        kind: 'votes',
        key,
        federation: founding.federation,
        first: toBallot(before),
        second: toBallot(message),
      })
      return 'ignore'
    }
    forgetLate()
    tables.vote.set(name, message)
    return 'accept'
  }

  const takeReveal = (message: GossipReveal): GossipDecision => {
    const { newest: certified } = rosters
    if (certified === undefined || message.height !== certified.roster.height) return 'ignore'
    const name = `${message.height} ${message.operator}`
    const key = certified.roster.operators[message.operator]?.key
    if (certified.roster.admitted.length === 0 || key === undefined || tables.reveal.has(name)) return 'ignore'
    const vote = { commitment: nonceToCommitment(message.nonce), signature: message.signature }
    if (!isValidVote({ ...certified.roster, hash: certified.hash }, key, vote)) return 'reject'
    tables.reveal.set(name, message)
    return 'accept'
  }

  const takeChange = (encoded: Uint8Array): GossipDecision => {
    const whole = decodeChange(encoded)
    if (!equalBytes(whole.federation, founding.federation)) return 'reject'
    if (isSettled(whole)) return 'ignore'
    // Signatures of strangers say nothing, and would leave no room for those that are missing.
    const signatures = whole.signatures.filter(({ key }) => hasStanding(key) || isParty(whole.change, key))
    const signed = { ...whole, signatures }
    assertSigned(signed)
    const name = bytesToHex(changeToId(signed))
    const before = tables.change.get(name)
    const all = before === undefined ? signed : addSignatures(signed, decodeChange(before.change).signatures)
    if (before !== undefined && decodeChange(before.change).signatures.length === all.signatures.length) return 'ignore'
    if (before === undefined && !signatures.some(({ key }) => hasStanding(key) && hasRoom(key))) return 'ignore'
    tables.change.set(name, { kind: 'change', change: encodeChange(all) })
    return 'accept'
  }
  /** Operators and peers may put changes before the others. */
  const hasStanding = (key: Uint8Array): boolean =>
    isPeer(key) || newest().operators.some((operator) => equalBytes(operator.key, key))
  const hasRoom = (key: Uint8Array): boolean => {
    const own = [...tables.change.values()].filter(({ change }) =>
      decodeChange(change).signatures.some((item) => equalBytes(item.key, key)),
    )
    return tables.change.size < CHANGES_MAX && own.length < CHANGES_PER_SIGNER_MAX
  }
  const isSettled = ({ change }: SignedChange): boolean =>
    change.kind === 'lied' || change.until <= newest().firstEpoch || isSpent(newest(), change)

  const takeEvidence = (encoded: Uint8Array): GossipDecision => {
    const evidence = decodeEvidence(encoded)
    const name = bytesToHex(evidenceToId(evidence))
    const isAbout = hasStanding(evidence.key) && !isGone(newest(), evidence.key)
    if (!isAbout || convicted.has(bytesToHex(evidence.key)) || tables.evidence.size >= EVIDENCE_MAX) return 'ignore'
    if (evidence.kind === 'answer' && !canJudge(evidence)) return 'ignore'
    if (!isProof(evidence, rosters.named)) return 'reject'
    tables.evidence.set(name, { kind: 'evidence', evidence: encoded })
    convicted.add(bytesToHex(evidence.key))
    told++
    return 'accept'
  }
  /** An answer under a roster that is not known here may still be a lie. */
  const canJudge = ({ request }: Evidence & { kind: 'answer' }): boolean =>
    rosters.named(request.slice(2, 10)) !== undefined
  const accuse = (evidence: Evidence): void => {
    const encoded = encodeEvidence(evidence)
    if (takeEvidence(encoded) !== 'accept') return
    spread(encodeGossip({ kind: 'evidence', evidence: encoded }))
    tell('evidence')
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

  const isPeriod = (firstEpoch: number): boolean =>
    rosters.newest === undefined
      ? firstEpoch === founding.firstEpoch
      : isPeriodOpen(rosters.newest.roster, firstEpoch, clock.now())
  /** Operators may fail for many periods on end: what was said about the first of them makes room. */
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
      case 'reveal':
        return takeReveal(message)
      case 'change':
        return takeChange(message.change)
      case 'evidence':
        return takeEvidence(message.evidence)
      case 'handover':
        return takeHandover(message)
    }
  }
  /** Everybody who was away asks for all of them: encoded once while they are here. */
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
  const all = (): Encoded[] => BY_NEED.flatMap((kind) => [...tables[kind].values()].flatMap(toEncoded))
  const offer = (bytes: Uint8Array): GossipDecision => {
    try {
      const message = decodeGossip(bytes)
      const verdict = take(message)
      if (verdict !== 'accept') return verdict
      // A message has one form: as it came, it goes on.
      encoded.set(message, [{ bytes: bytes.slice(), name: toName(bytes) }])
      tell(message.kind)
      return verdict
    } catch (error) {
      // A newer protocol's messages are not for us, but no lie either.
      if (isFederationError(error, 'VERSION_UNKNOWN')) return 'ignore'
      if (error instanceof FederationError) return 'reject'
      throw error
    }
  }
  const tell = (kind: GossipKind): void => {
    for (const listener of listeners) listener(kind)
  }

  /** What a new roster settles. */
  rosters.onAdd(({ roster }) => {
    tables.proposal.clear()
    tables.vote.clear()
    tables.reveal.clear()
    for (const [name, { firstEpoch }] of tables.sheets) if (firstEpoch <= roster.firstEpoch) tables.sheets.delete(name)
    for (const [name, { change }] of tables.change) if (isSettled(decodeChange(change))) tables.change.delete(name)
    for (const [name, { evidence }] of tables.evidence) {
      if (isGone(roster, decodeEvidence(evidence).key)) tables.evidence.delete(name)
    }
    for (const name of tables.presence.keys()) {
      if (!isPeer(tables.presence.get(name)!.key)) tables.presence.delete(name)
    }
  })

  return {
    offer,
    offerAll(messages) {
      const held = new Set(all().map(({ name }) => name))
      for (const bytes of messages) if (!held.has(toName(bytes))) offer(bytes)
    },
    messages: () => all().map(({ bytes }) => bytes),
    presences: () => [...tables.presence.values()],
    presence: (key) => tables.presence.get(bytesToHex(key)),
    sheets: (firstEpoch) => [...tables.sheets.values()].filter((item) => item.firstEpoch === firstEpoch),
    proposals: (wanted, firstEpoch) =>
      [...tables.proposal.values()].filter((item) => item.height === wanted && item.firstEpoch === firstEpoch),
    votes: (wanted) => [...tables.vote.values()].filter((item) => item.height === wanted),
    reveals: (wanted) => [...tables.reveal.values()].filter((item) => item.height === wanted),
    changes: () => [...tables.change.values()].map(({ change }) => decodeChange(change)),
    evidence: () => [...tables.evidence.values()].map(({ evidence }) => decodeEvidence(evidence)),
    handovers: () => [...tables.handover.values()],
    isConvicted: (key) => convicted.size > 0 && convicted.has(bytesToHex(key)),
    told: () => told,
    onNews: (fn) => void listeners.push(fn),
  }
}

/** Presences are many and come again by themselves. */
const BY_NEED: readonly GossipKind[] = [
  'evidence',
  'vote',
  'proposal',
  'reveal',
  'sheets',
  'change',
  'handover',
  'presence',
]
/** A message as it travels. */
interface Encoded {
  readonly bytes: Uint8Array
  readonly name: string
}

/** Bytes as a map key: one character a byte. */
function toName(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

const NO_ROOT = new Uint8Array(0)

/** The same in messages that are not too large. */
export function toSheetMessages(told: GossipSheets): GossipSheets[] {
  const count = Math.ceil(told.sheets.length / SHEETS_PER_MESSAGE)
  return Array.from({ length: count }, (_, i) => {
    const sheets = told.sheets.slice(i * SHEETS_PER_MESSAGE, (i + 1) * SHEETS_PER_MESSAGE)
    return { ...told, sheets }
  })
}

/** Whose own word the change needs. */
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

function toBallot({ height, firstEpoch, hash, commitment, signature }: GossipVote) {
  return { height, firstEpoch, hash, commitment, signature }
}
