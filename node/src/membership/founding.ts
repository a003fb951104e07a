/**
 * Founding: how the peers of a manifest come to one certified roster. PROTOCOL.md §4.7.
 * Each round pulls the roster from others, obtains and signs sheets, and, in an operator's turn, proposes.
 * A round runs at once at the start and whenever another peer shows up, then every two seconds of the injected clock;
 * after certification nothing runs any more.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeDone,
  decodeRosterReply,
  decodeSheetsReply,
  decodeVoteReply,
  encodeCertifiedRoster,
  encodeRosterRequest,
  hexToBytes,
  isValidSignature,
  type Manifest,
  manifestToId,
  quorum,
  ROSTER_PROTOCOL,
  type RosterRequest,
  type SignedSheet,
  type Vote,
} from '@geotrace/core-wasm/wire'
import type { Log } from '../log.ts'
import type { Host, PeerAddress } from '../net/protocol.ts'
import { fanOut } from './fan-out.ts'
import type { Peer, Peers } from './peers.ts'
import { sheetPile } from './proposal.ts'
import type { RosterBook } from './roster-book.ts'
import type { Voter } from './voter.ts'

/** Between rounds, and between the turns of two proposers. */
export const ROUND_MS = 2_000
/** Peers asked for the roster in one round; the next round asks the following ones. */
const PULLS_PER_ROUND = 16

/** How a peer that holds shards takes part; the central peer has none. */
export interface SheetSource {
  signedSheets(): readonly SignedSheet[]
  /** Tries to hold the seeds of its shards and to sign their sheets; true when it signed one now. */
  acquire(): Promise<boolean>
}

export interface FoundingInit {
  manifest: Manifest
  peers: Peers
  host: Host
  book: RosterBook
  clock: Clock
  log: Log
  voter: Voter | undefined
  sheets: SheetSource | undefined
}
export interface Founding {
  /** Runs the first round; resolves when it is over, certified or not. */
  start(): Promise<void>
  /** A round without pulling, so that two peers cannot keep each other awake. */
  nudge(): void
  stop(): void
}

export function founding({ manifest, peers, host, book, clock, log, voter, sheets }: FoundingInit): Founding {
  const others = peers.others(host.key)
  const self = peers.withKey(host.key)
  const pile = sheetPile(manifest)
  const slotMs = voter === undefined ? Number.POSITIVE_INFINITY : proposerSlot(manifest, voter.operator) * ROUND_MS
  let startedMs = 0
  let pulled = 0
  let running: Promise<void> | undefined
  let again = false
  let stopped = false
  let cancel = (): void => {}

  const over = (): boolean => stopped || book.newest() !== undefined
  const ask = (peer: PeerAddress, request: RosterRequest): Promise<Uint8Array> =>
    host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request))

  const pull = async (): Promise<void> => {
    const turn = others.map((_, i) => others[(pulled + i) % others.length]!).slice(0, PULLS_PER_ROUND)
    pulled += turn.length
    await fanOut(
      turn,
      async (peer) => {
        const bytes = decodeRosterReply(await ask(peer, { op: 'get', height: 0 }))
        if (bytes !== undefined) await book.add(decodeCertifiedRoster(bytes))
      },
      over,
    )
  }

  const gather = async (): Promise<CertifiedRoster | undefined> => {
    if (sheets !== undefined && self?.member !== undefined) pile.add(self.member, sheets.signedSheets())
    await fanOut(
      others.filter(({ member }) => member !== undefined),
      async (peer) => pile.add(peer.member!, decodeSheetsReply(await ask(peer, { op: 'sheets' }))),
      () => over() || pile.proposal() !== undefined,
    )
    return pile.proposal()
  }

  const collect = async (own: Voter, proposal: CertifiedRoster): Promise<Vote[]> => {
    const votes = new Map<number, Vote>([[own.operator, await own.vote(proposal)]])
    const request: RosterRequest = { op: 'vote', proposal: encodeCertifiedRoster(proposal) }
    const enough = (): boolean => votes.size >= quorum(manifest.operators.length)
    await fanOut(
      manifest.operators.map((_, operator) => operator).filter((operator) => operator !== own.operator),
      async (operator) => {
        // Any of an operator's peers may have its key.
        for (const peer of others.filter((item) => item.operator === operator)) {
          const vote = await askVote(peer, request).catch(() => undefined)
          if (vote === undefined || vote.operator !== operator) continue
          const key = hexToBytes(manifest.operators[operator]!.key)
          if (!isValidSignature(key, 'geotrace/vote', proposal.hash, vote.signature)) continue
          votes.set(operator, vote)
          return
        }
      },
      enough,
    )
    return enough() ? [...votes.values()].sort((a, b) => a.operator - b.operator) : []
  }
  const askVote = async (peer: Peer, request: RosterRequest) => decodeVoteReply(await ask(peer, request))

  const propose = async (): Promise<void> => {
    if (voter === undefined || clock.now() - startedMs < slotMs) return
    const proposal = await gather()
    if (proposal === undefined || over()) return
    const votes = await collect(voter, proposal)
    if (votes.length === 0 || over()) return
    const certified = { ...proposal, votes }
    if (await book.add(certified)) log.info('founding.certified', { votes: votes.length })
    const request: RosterRequest = { op: 'certify', certified: encodeCertifiedRoster(certified) }
    await fanOut(others, async (peer) => decodeDone(await ask(peer, request)))
  }

  const round = async (pulling: boolean): Promise<void> => {
    if (pulling && !over()) await pull()
    if (over()) return
    // A new signature may be the last one missing somewhere: asking the others lets them know that we are here.
    if (await sheets?.acquire()) await pull()
    if (!over()) await propose()
  }

  /** One round at a time; what is asked for meanwhile becomes one more round after it. */
  const run = (pulling: boolean): Promise<void> => {
    if (running !== undefined) {
      again = true
      return running
    }
    running = round(pulling)
      .catch(() => log.error('founding.round-failed'))
      .finally(() => {
        running = undefined
        if (again && !over()) {
          again = false
          void run(false)
        }
      })
    return running
  }
  const tick = (): void => {
    if (over()) return
    void run(true)
    cancel = clock.setTimer(tick, ROUND_MS)
  }

  return {
    async start() {
      if (over()) return
      startedMs = clock.now()
      cancel = clock.setTimer(tick, ROUND_MS)
      await run(true)
    },
    nudge: () => void (over() || startedMs === 0 || run(false)),
    stop() {
      stopped = true
      cancel()
    },
  }
}

/** The turn of an operator: its place in the order of H(previous ‖ key), the hash before roster 0 being the id. */
export function proposerSlot(manifest: Manifest, operator: number): number {
  const previous = manifestToId(manifest)
  const draws = manifest.operators.map(({ key }) =>
    createHash('sha256').update(previous).update(hexToBytes(key)).digest('hex'),
  )
  return draws.filter((draw) => draw < draws[operator]!).length
}
