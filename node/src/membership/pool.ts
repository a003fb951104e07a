/**
 * What members are saying: presences, and all that the next roster is made of. PROTOCOL.md §7.5. Every message is
 * checked before it is kept or passed on; tables are bounded; what the newest roster settles is dropped.
 * Two signed things that contradict each other become evidence here, whoever brought them.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  addSignatures,
  assertSigned,
  bytesToHex,
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
  sheetContent,
  sheetEpochs,
} from '@geotrace/core-wasm/wire'
import type { GossipVerdict } from '../net/gossip.ts'
import type { RosterBook } from './roster-book.ts'

/** A presence from a clock farther off says nothing about now. */
const PRESENCE_SKEW_MAX_MS = 10 * MINUTE_MS
/** Changes that wait for a roster; each is signed by somebody of the federation. */
const CHANGES_MAX = 256
/** Of one signer, so that nobody fills the table for all. */
const CHANGES_PER_SIGNER_MAX = 16
const EVIDENCE_MAX = 64
const HANDOVERS_MAX = 64
/** Periods about which something may still be told: the one agreed on, and one that failed or runs late. */
const PERIODS_MAX = 4

export interface PoolInit {
  manifest: Manifest
  book: RosterBook
  clock: Clock
  /** Has a part in the federation: member, newcomer, central peer. */
  isPeer(key: Uint8Array): boolean
}
export interface Pool {
  /** Takes a message in; says whether it is worth passing on. */
  offer(message: Uint8Array): GossipVerdict
  /** All that somebody who was away should hear. */
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
  /** Calls `fn` after each message that was new. */
  onNews(fn: (kind: GossipKind) => void): void
}

export function createPool({ manifest, book, clock, isPeer }: PoolInit): Pool {
  const founding = manifestToRoster(manifest)
  const tables: { [K in GossipKind]: Map<string, GossipMessage & { kind: K }> } = {
    presence: new Map(),
    sheets: new Map(),
    proposal: new Map(),
    vote: new Map(),
    reveal: new Map(),
    change: new Map(),
    evidence: new Map(),
    handover: new Map(),
  }
  const convicted = new Set<string>()
  const listeners: ((kind: GossipKind) => void)[] = []
  const newest = (): Roster => book.newest?.roster ?? founding
  const height = (): number => book.all.length
  const isCandidate = (key: Uint8Array): boolean => {
    const members = book.newest === undefined ? founding.members : nextMembers(book.newest.roster)
    return members.some((member) => equalBytes(member.key, key))
  }
  const isNow = (time: number): boolean => Math.abs(time - clock.now()) <= PRESENCE_SKEW_MAX_MS

  const takePresence = (message: Presence): GossipVerdict => {
    const name = bytesToHex(message.key)
    const before = tables.presence.get(name)
    if (!isPeer(message.key) || !isNow(message.time)) return 'ignore'
    if (before !== undefined && before.time >= message.time) return 'ignore'
    if (!isValidPresence(message)) return 'reject'
    tables.presence.set(name, message)
    return 'accept'
  }

  const takeSheets = (message: GossipSheets): GossipVerdict => {
    const { key, firstEpoch, sheets } = message
    const name = `${firstEpoch} ${bytesToHex(key)}`
    if (!isCandidate(key) || !isPeriod('sheets', firstEpoch) || sheets.length > newest().plan.shards) return 'ignore'
    const before = tables.sheets.get(name)
    const head = { federation: founding.federation, firstEpoch, epochs: sheetEpochs(founding) }
    const known = (shard: number) => before?.sheets.find((item) => item.shard === shard)
    const fresh = sheets.filter(({ shard, root }) => !equalBytes(known(shard)?.root ?? new Uint8Array(0), root))
    const isSigned = ({ shard, root, signature }: (typeof sheets)[number]): boolean =>
      isValidSignature(key, 'geotrace/sheet', sheetContent({ ...head, shard, root }), signature)
    if (fresh.length === 0) return 'ignore'
    if (!fresh.every(isSigned)) return 'reject'
    for (const sheet of fresh) {
      const first = known(sheet.shard)
      if (first === undefined) continue
      const { shard, ...second } = sheet
      accuse({ kind: 'sheets', key, ...head, shard, first: { root: first.root, signature: first.signature }, second })
    }
    const added = fresh.filter(({ shard }) => known(shard) === undefined)
    tables.sheets.set(name, { ...message, sheets: [...(before?.sheets ?? []), ...added] })
    return added.length > 0 ? 'accept' : 'ignore'
  }

  const takeProposal = (message: Proposal): GossipVerdict => {
    const name = `${message.firstEpoch} ${message.operator}`
    const key = book.predecessor.operators[message.operator]?.key
    if (message.height !== height() || key === undefined || !isPeriod('proposal', message.firstEpoch)) return 'ignore'
    if (tables.proposal.has(name)) return 'ignore'
    if (!isValidProposal(message, key)) return 'reject'
    tables.proposal.set(name, message)
    return 'accept'
  }

  const takeVote = (message: GossipVote): GossipVerdict => {
    const name = `${message.firstEpoch} ${message.operator}`
    const key = book.predecessor.operators[message.operator]?.key
    if (message.height !== height() || key === undefined || !isPeriod('vote', message.firstEpoch)) return 'ignore'
    const before = tables.vote.get(name)
    const isSame = before !== undefined && equalBytes(before.hash, message.hash)
    if (isSame && equalBytes(before.commitment, message.commitment)) return 'ignore'
    if (!isValidVote(message, key, message)) return 'reject'
    if (before !== undefined) {
      accuse({ kind: 'votes', key, first: toBallot(before), second: toBallot(message) })
      return 'ignore'
    }
    tables.vote.set(name, message)
    return 'accept'
  }

  const takeReveal = (message: GossipReveal): GossipVerdict => {
    const { newest: certified } = book
    if (certified === undefined || message.height !== certified.roster.height) return 'ignore'
    const name = `${message.height} ${message.operator}`
    const key = certified.roster.operators[message.operator]?.key
    if (certified.roster.admitted.length === 0 || key === undefined || tables.reveal.has(name)) return 'ignore'
    const vote = { commitment: nonceToCommitment(message.nonce), signature: message.signature }
    if (!isValidVote({ ...certified.roster, hash: certified.hash }, key, vote)) return 'reject'
    tables.reveal.set(name, message)
    return 'accept'
  }

  const takeChange = (encoded: Uint8Array): GossipVerdict => {
    const signed = decodeChange(encoded)
    if (!equalBytes(signed.federation, founding.federation)) return 'reject'
    if (isSettled(signed)) return 'ignore'
    assertSigned(signed)
    const name = bytesToHex(changeToId(signed))
    const before = tables.change.get(name)
    const all = before === undefined ? signed : addSignatures(signed, decodeChange(before.change).signatures)
    if (before !== undefined && decodeChange(before.change).signatures.length === all.signatures.length) return 'ignore'
    const signer = signed.signatures.find(({ key }) => hasStanding(key))
    if (signer === undefined) return 'ignore'
    if (before === undefined && !hasRoom(signer.key)) return 'ignore'
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
  const isSettled = (signed: SignedChange): boolean => {
    const { change } = signed
    const { firstEpoch, changes } = newest()
    const id = changeToId(signed)
    return (
      change.kind === 'lied' ||
      change.until <= firstEpoch ||
      changes.some((made) => equalBytes(changeToId(decodeChange(made)), id)) ||
      ('key' in change && isGone(newest(), change.key))
    )
  }

  const takeEvidence = (encoded: Uint8Array): GossipVerdict => {
    const evidence = decodeEvidence(encoded)
    const name = bytesToHex(evidenceToId(evidence))
    const isAbout = hasStanding(evidence.key) && !isGone(newest(), evidence.key)
    if (!isAbout || convicted.has(bytesToHex(evidence.key)) || tables.evidence.size >= EVIDENCE_MAX) return 'ignore'
    if (evidence.kind === 'answer' && !canJudge(evidence)) return 'ignore'
    if (!isProof(evidence, book.named)) return 'reject'
    tables.evidence.set(name, { kind: 'evidence', evidence: encoded })
    convicted.add(bytesToHex(evidence.key))
    return 'accept'
  }
  /** An answer under a roster that is not known here may still be a lie. */
  const canJudge = ({ request }: Evidence & { kind: 'answer' }): boolean =>
    book.named(request.slice(2, 10)) !== undefined
  const accuse = (evidence: Evidence): void => {
    if (takeEvidence(encodeEvidence(evidence)) === 'accept') tell('evidence')
  }

  const takeHandover = (message: Handover): GossipVerdict => {
    const name = `${message.firstEpoch} ${message.shard} ${bytesToHex(message.taker)}`
    if (!isPeer(message.giver) || !isPeer(message.taker) || !isNow(message.time)) return 'ignore'
    const before = tables.handover.get(name)
    if (before !== undefined && before.time >= message.time) return 'ignore'
    if (!isValidHandover(message)) return 'reject'
    tables.handover.delete(name)
    tables.handover.set(name, message)
    if (tables.handover.size > HANDOVERS_MAX) tables.handover.delete(tables.handover.keys().next().value!)
    return 'accept'
  }

  /** Whether there is room for what concerns this period. */
  const isPeriod = (kind: 'sheets' | 'proposal' | 'vote', firstEpoch: number): boolean => {
    if (book.newest !== undefined && firstEpoch <= book.newest.roster.firstEpoch) return false
    const known = new Set([...tables[kind].values()].map((item) => item.firstEpoch))
    return known.has(firstEpoch) || known.size < PERIODS_MAX
  }

  const take = (message: GossipMessage): GossipVerdict => {
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
  const tell = (kind: GossipKind): void => {
    for (const listener of listeners) listener(kind)
  }

  /** What a new roster settles. */
  book.onAdd(({ roster }) => {
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
    offer(bytes) {
      try {
        const message = decodeGossip(bytes)
        const verdict = take(message)
        if (verdict === 'accept') tell(message.kind)
        return verdict
      } catch (error) {
        // A newer protocol's messages are not for us, but no lie either.
        if (isFederationError(error, 'VERSION_UNKNOWN')) return 'ignore'
        if (error instanceof FederationError) return 'reject'
        throw error
      }
    },
    messages: () => Object.values(tables).flatMap((table) => [...table.values()].map(encodeGossip)),
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
    isConvicted: (key) => convicted.has(bytesToHex(key)),
    onNews: (fn) => void listeners.push(fn),
  }
}

function toBallot({ height, firstEpoch, hash, commitment, signature }: GossipVote) {
  return { height, firstEpoch, hash, commitment, signature }
}
