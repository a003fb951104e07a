/**
 * How operators come to the next roster, the founding one first. PROTOCOL.md §4.7. While a roster is due, a round every
 * two seconds: hear what the others say, obtain and sign sheets, propose in one's turn, vote once, and certify when a
 * quorum has voted. Votes and proposals travel by gossip; every peer forms the certificate by itself.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '@geotrace/core-wasm'
import {
  assertProposal,
  bodyToCertified,
  bytesToHex,
  type CertifiedRoster,
  type ChangeKind,
  decodeCertifiedRoster,
  decodeChange,
  decodePoolReply,
  decodeRosterReply,
  effortSpan,
  encodeChange,
  encodeRoster,
  encodeRosterRequest,
  equalBytes,
  evidenceToId,
  type GossipMessage,
  hashToRosterName,
  isFederationError,
  isGone,
  type Manifest,
  manifestToRoster,
  newChange,
  nextFirstEpoch,
  type Predecessor,
  quorum,
  ROSTER_MAX_BYTES,
  ROSTER_PROTOCOL,
  type Roster,
  type RosterRequest,
  type SignedSheet,
  signProposal,
  succeed,
} from '@geotrace/core-wasm/wire'
import type { Log } from '../log.ts'
import type { Host, PeerAddress } from '../net/protocol.ts'
import type { Random } from '../random.ts'
import { fanOut } from './fan-out.ts'
import type { Peer, Peers } from './peers.ts'
import { type Pool, toSheetMessages } from './pool.ts'
import { sheetsToRoots } from './proposal.ts'
import type { RosterBook } from './roster-book.ts'
import type { Voter } from './voter.ts'

/** Between rounds while a roster is due. */
export const ROUND_MS = 2_000
/** Between the turns of two proposers, from when the sheets are complete. */
const TURN_MS = 10_000
/** At founding all propose the same body: a short turn costs nothing. */
const FOUNDING_TURN_MS = 2_000
/** While none is due, somebody is asked for news this often. */
const QUIET_MS = 60_000
/** Peers asked in one round at founding, when nobody is linked yet; later one. */
const ASKED_AT_FOUNDING = 16
/** Proposals whose body is kept: 256 KiB each. */
const BODIES_MAX = 16
/** A body that nobody showed is looked for again after this long. */
const FETCH_AGAIN_MS = 4_000
/** How far back it is looked where two chains of rosters part. */
const STEPS_BACK_MAX = 8

/** A roster that is due: who holds which shards is fixed, what else it says is not. */
export interface DueRoster {
  readonly height: number
  readonly firstEpoch: number
  readonly predecessor: Predecessor
  /** Without sheets, changes and reveals. */
  readonly roster: Roster
}

/** How a peer that holds shards takes part; the central peer has none. */
export interface SheetSource {
  /**
   * Tries to hold the seeds of its shards in the roster that is due, for `forMs` by now, and to sign their sheets;
   * without `forMs` it asks nobody and signs what others confirmed.
   */
  acquire(
    roster: Roster,
    forMs: number | undefined,
    signedRoot: (key: Uint8Array, shard: number) => Uint8Array | undefined,
  ): Promise<void>
  /** What it signed for the roster that begins with this epoch. */
  signed(firstEpoch: number): readonly SignedSheet[]
}

export interface CouncilInit {
  manifest: Manifest
  peers: Peers
  host: Host
  book: RosterBook
  pool: Pool
  clock: Clock
  random: Random
  log: Log
  voter: Voter | undefined
  sheets: SheetSource | undefined
  /** To everybody, ourselves included. */
  say(message: GossipMessage): void
}
export interface Council {
  /** Runs the first round; resolves when it is over. */
  start(): Promise<void>
  /** Another round soon, of what is known: something changed. */
  nudge(): void
  /** A peer that was away is there: hears what it has. */
  meet(key: Uint8Array): void
  /** The proposal with this hash, as far as it is known. */
  body(hash: Uint8Array): CertifiedRoster | undefined
  due(): DueRoster | undefined
  /** Resolves when its last round is over. */
  stop(): Promise<void>
}

export function createCouncil(init: CouncilInit): Council {
  const { manifest, peers, host, book, pool, clock, random, log, voter, sheets, say } = init
  const bodies = new Map<string, CertifiedRoster>()
  /** When a body was looked for and not found, or not sound. */
  const missed = new Map<string, number>()
  let since: { firstEpoch: number; at: number } | undefined
  let completeMs: { firstEpoch: number; at: number } | undefined
  let asked = 0
  let running: Promise<void> | undefined
  const meetings = new Set<Promise<void>>()
  let again = false
  let stopped = false
  let cancel = (): void => {}

  const ask = (peer: PeerAddress, request: RosterRequest): Promise<Uint8Array> =>
    host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request))

  const founding = manifestToRoster(manifest)
  let known: DueRoster | undefined
  const due = (): DueRoster | undefined => {
    const firstEpoch = dueEpoch(founding, book.newest?.roster, clock.now())
    if (firstEpoch === undefined) return undefined
    // The same object while nothing changed: what follows from a roster is kept with it.
    if (known?.height !== book.all.length || known.firstEpoch !== firstEpoch) {
      known = dueRoster(founding, book, firstEpoch)
    }
    return known
  }

  /** Takes what one peer has: the rosters that follow ours, then what is being said. */
  const hear = async (peer: Peer): Promise<void> => {
    const height = heightOfAnother(peer)
    if (height !== undefined) await goBack(peer, height)
    for (;;) {
      const next = book.all.length
      const bytes = decodeRosterReply(await ask(peer, { op: 'get', height: next }))
      if (bytes === undefined || stopped) break
      if (!(await add(decodeCertifiedRoster(bytes), () => goBack(peer, next - 1)))) break
    }
    if (!peers.has(host.key)) return
    for (const message of decodePoolReply(await ask(peer, { op: 'pool' }))) pool.offer(message)
  }
  /** Adds a roster; one that does not follow ours may follow from another of an earlier height. */
  const add = async (certified: CertifiedRoster, otherwise: () => Promise<void>): Promise<boolean> => {
    try {
      return await book.add(certified)
    } catch (error) {
      if (isFederationError(error, 'ROSTER_FORKED')) log.error('roster.forked', { height: certified.roster.height })
      if (isFederationError(error, 'ROSTER_INVALID')) await otherwise()
      throw error
    }
  }
  /** Looks for the height at which its rosters part from ours: two certificates there are a fork. */
  const goBack = async (peer: Peer, height: number): Promise<void> => {
    for (let at = height; at >= 0 && at > height - STEPS_BACK_MAX && !stopped; at--) {
      const bytes = decodeRosterReply(await ask(peer, { op: 'get', height: at }))
      if (bytes === undefined) return
      const isOurs = await add(decodeCertifiedRoster(bytes), async () => {}).then(
        () => true,
        (error: unknown) => !isFederationError(error, 'ROSTER_INVALID'),
      )
      if (isOurs) return
    }
  }
  /** The height of its newest roster, when that is not ours of this height. */
  const heightOfAnother = ({ key }: Peer): number | undefined => {
    const said = pool.presence(key)
    const ours = said && book.at(said.height)
    if (said === undefined || ours === undefined || said.roster.every((byte) => byte === 0)) return undefined
    return equalBytes(hashToRosterName(ours.hash), said.roster) ? undefined : said.height
  }
  const listen = async (): Promise<void> => {
    const others = peers.others(host.key)
    if (others.length === 0) return
    const count = book.newest === undefined ? ASKED_AT_FOUNDING : 1
    const hasNews = (peer: Peer): boolean =>
      (pool.presence(peer.key)?.height ?? 0) >= book.all.length || heightOfAnother(peer) !== undefined
    const newer = others.filter(hasNews)
    const start = newer.length > 0 ? random(1)[0]! % newer.length : asked
    const turn = newer.length > 0 ? newer : others
    asked = (asked + count) % others.length
    await fanOut(turn.map((_, i) => turn[(start + i) % turn.length]!).slice(0, count), hear)
  }

  const sign = async ({ roster }: DueRoster, isAsking: boolean): Promise<void> => {
    if (sheets === undefined) return
    const { firstEpoch } = roster
    if (since?.firstEpoch !== firstEpoch) since = { firstEpoch, at: clock.now() }
    const sinceMs = since.at
    const forMs = clock.now() - sinceMs
    await sheets.acquire(
      roster,
      isAsking ? forMs : undefined,
      (key, shard) =>
        pool
          .sheets(firstEpoch)
          .find((told) => equalBytes(told.key, key))
          ?.sheets.find((sheet) => sheet.shard === shard)?.root,
    )
    const signed = sheets.signed(firstEpoch)
    const said = pool.sheets(firstEpoch).find(({ key }) => equalBytes(key, host.key))?.sheets
    const known = new Set(said?.map(({ shard }) => shard))
    if (signed.every(({ shard }) => known.has(shard))) return
    for (const told of toSheetMessages({ kind: 'sheets', key: host.key, firstEpoch, sheets: [...signed] })) say(told)
  }

  const propose = async (now: DueRoster, own: Voter, operator: number): Promise<void> => {
    const { height, firstEpoch, predecessor } = now
    const roots = sheetsToRoots(now.roster, pool.sheets(firstEpoch))
    if (roots === undefined) return
    if (completeMs?.firstEpoch !== firstEpoch) completeMs = { firstEpoch, at: clock.now() }
    if (pool.proposals(height, firstEpoch).some(({ hash }) => isUsable(hash))) return
    const turnMs = height === 0 ? FOUNDING_TURN_MS : TURN_MS
    if (clock.now() < completeMs.at + proposerTurn(predecessor, operator) * turnMs) return
    const roster = compose(now, roots.sheets)
    const proposal = bodyToCertified(encodeRoster(roster), roots.sheetSignatures, [])
    keep(proposal)
    const unsigned = { height, firstEpoch, hash: proposal.hash, holder: host.key, operator }
    say(signProposal(own.signer, unsigned))
  }
  /** The body with every change that can be made and the nonces that are open. */
  const compose = ({ predecessor, roster }: DueRoster, roots: Uint8Array[]): Roster => {
    const { newest } = book
    if (newest === undefined) return predecessor.expect({ ...roster, sheets: roots })
    const { firstEpoch } = roster
    const reveals = pool
      .reveals(newest.roster.height)
      .map(({ operator, nonce, signature }) => ({ operator, nonce, signature }))
      .sort((a, b) => a.operator - b.operator)
    const isReady = reveals.length >= quorum(newest.roster.operators.length)
    let best = succeed(newest, { firstEpoch, changes: [], reveals: isReady ? reveals : [], sheets: roots })
    for (const change of candidateChanges(newest.roster, firstEpoch)) {
      const changes = [...best.changes, change].sort(compareBytes)
      try {
        const next = succeed(newest, { firstEpoch, changes, reveals: best.reveals, sheets: roots })
        if (encodeRoster(next).length <= ROSTER_MAX_BYTES / 2) best = next
      } catch (error) {
        if (!isFederationError(error)) throw error
      }
    }
    return best
  }
  const candidateChanges = ({ federation, ...roster }: Roster, firstEpoch: number): Uint8Array[] => {
    const lied = pool
      .evidence()
      .filter(({ key }) => !isGone(roster, key))
      .map((proof) =>
        newChange(federation, { kind: 'lied', until: firstEpoch, key: proof.key, evidence: evidenceToId(proof) }),
      )
    const byKind = (kind: ChangeKind): number => ORDER.indexOf(kind)
    return [...lied, ...pool.changes()].sort((a, b) => byKind(a.change.kind) - byKind(b.change.kind)).map(encodeChange)
  }

  const vote = async ({ height, firstEpoch, predecessor }: DueRoster, own: Voter): Promise<void> => {
    const operator = own.operator(predecessor)
    if (
      operator === undefined ||
      pool.votes(height).some((v) => v.operator === operator && v.firstEpoch === firstEpoch)
    )
      return
    const proposals = pool
      .proposals(height, firstEpoch)
      .sort((a, b) => proposerTurn(predecessor, a.operator) - proposerTurn(predecessor, b.operator))
    for (const { hash, holder } of proposals) {
      const proposal = await fetch(predecessor, hash, holder)
      if (proposal === undefined || proposal.roster.firstEpoch !== firstEpoch) continue
      if (!proposal.roster.changes.every(isAgreeable)) continue
      try {
        const given = await own.vote(predecessor, { federation: proposal.roster.federation, height, firstEpoch, hash })
        say({ kind: 'vote', height, firstEpoch, hash, ...given })
        return
      } catch (error) {
        if (!isFederationError(error)) throw error
        log.warn('council.refused', { height, code: error.code })
      }
    }
  }
  /**
   * What a roster says of liars, its voters have seen for themselves; any proof will do, or a liar that shows each voter
   * another one keeps them apart. And no change is made twice: an old address, signed, would come back.
   */
  const isAgreeable = (encoded: Uint8Array): boolean => {
    const { change } = decodeChange(encoded)
    if (change.kind !== 'lied') return !pool.isMade(encoded)
    return pool.evidence().some((proof) => equalBytes(proof.key, change.key))
  }

  /** A proposal that nobody can show, or that does not stand, keeps nobody from proposing. */
  const isUsable = (hash: Uint8Array): boolean => bodies.has(bytesToHex(hash))
  const keep = (proposal: CertifiedRoster): void => {
    if (bodies.size >= BODIES_MAX) bodies.delete(bodies.keys().next().value!)
    bodies.set(bytesToHex(proposal.hash), proposal)
  }
  /** A proposal that stands: its sheets' signatures are outside the hash, so one peer's copy may be spoiled. */
  const fetch = async (
    predecessor: Predecessor,
    hash: Uint8Array,
    holder: Uint8Array,
  ): Promise<CertifiedRoster | undefined> => {
    const name = bytesToHex(hash)
    const known = bodies.get(name)
    if (known !== undefined || clock.now() - (missed.get(name) ?? Number.NEGATIVE_INFINITY) < FETCH_AGAIN_MS)
      return known
    // Its holder first, then whoever may have asked before us.
    const others = peers.others(host.key)
    const first = others.filter(({ key }) => equalBytes(key, holder))
    const linked = others.filter(({ key }) => !equalBytes(key, holder) && host.isLinked(key))
    for (const peer of [...first, ...linked]) {
      try {
        const bytes = decodeRosterReply(await ask(peer, { op: 'body', hash }))
        const proposal = bytes && decodeCertifiedRoster(bytes)
        if (proposal === undefined || !equalBytes(proposal.hash, hash)) continue
        assertProposal(predecessor, proposal)
        keep(proposal)
        return proposal
      } catch (error) {
        if (!isFederationError(error)) throw error
        if (error.code === 'ROSTER_INVALID') log.warn('council.body-unsound')
      }
    }
    if (missed.size >= BODIES_MAX) missed.delete(missed.keys().next().value!)
    missed.set(name, clock.now())
    return undefined
  }

  /** A quorum of votes for one roster is its certificate, also for a period that has begun. */
  const certify = async (height: number, predecessor: Predecessor): Promise<void> => {
    const votes = pool.votes(height)
    const hashes = new Map(votes.map((item) => [bytesToHex(item.hash), item.hash]))
    for (const hash of hashes.values()) {
      const same = votes.filter((item) => equalBytes(item.hash, hash)).sort((a, b) => a.operator - b.operator)
      if (same.length < quorum(predecessor.operators.length)) continue
      const holder = pool.proposals(height, same[0]!.firstEpoch).find((item) => equalBytes(item.hash, hash))?.holder
      const proposal = await fetch(predecessor, hash, holder ?? host.key)
      if (proposal === undefined) continue
      const certified = {
        ...proposal,
        votes: same.map(({ operator, commitment, signature }) => ({ operator, commitment, signature })),
      }
      if (await book.add(certified)) log.info('roster.certified', { height, votes: same.length })
      return
    }
  }

  const reveal = async (own: Voter): Promise<void> => {
    const { newest } = book
    if (newest === undefined || newest.roster.admitted.length === 0) return
    const { height, operators } = newest.roster
    const operator = own.operator(newest.roster)
    if (operator === undefined || pool.reveals(height).some((item) => item.operator === operator)) return
    const opened = await own.reveal({ ...newest.roster, hash: newest.hash }, operators)
    if (opened !== undefined) say({ kind: 'reveal', height, ...opened })
  }

  /** With or without asking others what they know and hold. */
  const round = async (isAsking: boolean): Promise<void> => {
    if (isAsking) await listen()
    if (stopped || book.isForked || !peers.has(host.key)) return
    if (voter !== undefined) await reveal(voter)
    const now = due()
    if (now !== undefined) {
      await sign(now, isAsking)
      const operator = voter?.operator(now.predecessor)
      if (voter !== undefined && operator !== undefined) {
        await vote(now, voter)
        await propose(now, voter, operator)
        await vote(now, voter)
      }
    }
    // Also when none is due any more: a certificate may come late.
    await certify(book.all.length, book.predecessor)
  }

  /** One round at a time; what is asked for meanwhile becomes one more round after it. */
  const run = (isAsking: boolean): Promise<void> => {
    if (running !== undefined) {
      again = true
      return running
    }
    running = round(isAsking)
      .catch((error: unknown) => {
        log.error('council.round-failed', { code: isFederationError(error) ? error.code : 'INTERNAL' })
      })
      .finally(() => {
        running = undefined
        if (again && !stopped) {
          again = false
          void run(false)
        }
      })
    return running
  }
  const plan = (): void => {
    if (stopped) return
    cancel()
    cancel = clock.setTimer(tick, waitMs())
  }
  const waitMs = (): number => {
    const { newest } = book
    if (due() !== undefined || newest === undefined) return ROUND_MS
    const { from } = effortSpan(newest.roster.periodEpochs, nextFirstEpoch(newest.roster, clock.now()))
    return Math.min(QUIET_MS, Math.max(ROUND_MS, from - clock.now()))
  }
  const tick = (): void => void run(true).finally(plan)

  book.onAdd(() => {
    bodies.clear()
    missed.clear()
  })
  return {
    async start() {
      plan()
      await run(true)
      plan()
    },
    nudge: () => void (stopped || run(false)),
    meet(key) {
      const peer = peers.withKey(key)
      if (peer === undefined || stopped) return
      const meeting = fanOut([peer], hear).then(() => {
        meetings.delete(meeting)
        if (!stopped) void run(false)
      })
      meetings.add(meeting)
    },
    body: (hash) => bodies.get(bytesToHex(hash)),
    due,
    async stop() {
      stopped = true
      cancel()
      await Promise.all([running, ...meetings])
    },
  }
}

/** The first epoch of the roster that operators should agree on at `nowMs`, if it is time. */
function dueEpoch(founding: Roster, newest: Roster | undefined, nowMs: number): number | undefined {
  if (newest === undefined) return founding.firstEpoch
  const firstEpoch = nextFirstEpoch(newest, nowMs)
  return nowMs < effortSpan(newest.periodEpochs, firstEpoch).from ? undefined : firstEpoch
}

function dueRoster(founding: Roster, { newest, predecessor }: RosterBook, firstEpoch: number): DueRoster {
  if (newest === undefined) return { height: 0, firstEpoch, predecessor, roster: founding }
  const roster = succeed(newest, { firstEpoch, changes: [], reveals: [], sheets: [] })
  return { height: newest.roster.height + 1, firstEpoch, predecessor, roster }
}

/** The turn of an operator: its place in the order of H(previous ‖ key). */
export function proposerTurn({ hash, operators }: Predecessor, operator: number): number {
  const draws = operators.map(({ key }) => createHash('sha256').update(hash).update(key).digest('hex'))
  return draws.filter((draw) => draw < draws[operator]!).length
}

/** Departures before arrivals: a full federation can then take somebody in. */
const ORDER: readonly ChangeKind[] = ['lied', 'leave', 'expel', 'rotate', 'move', 'amend', 'join']

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}
