/**
 * A peer's part in the federation: its rosters, its vote, the messages it exchanges, its links. PROTOCOL.md §4, §7.5.
 * Salt nodes and the central peer have a membership; only salt nodes bring sheets. A node that no roster names yet also
 * has a membership: the node follows the rosters and takes part once a roster names it.
 * Throws MANIFEST_INVALID, ROSTER_INVALID, STORAGE_CORRUPT, CHANGE_INVALID.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { evaluationVerifier, loadGroup } from '@geotrace/core-wasm/voprf'
import {
  changeToId,
  changeToProblem,
  type EvaluationVerifier,
  type Evidence,
  encodeChange,
  encodeEvidence,
  encodeGossip,
  equalBytes,
  FederationError,
  type GossipMessage,
  type Handover,
  type Manifest,
  manifestToId,
  newChange,
  type PeerAddress,
  ROSTER_PROTOCOL,
  type SignedChange,
  type Signer,
  signChange,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../net/protocol.ts'
import type { Records } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import { nativeSigner } from '../platform/native-signer.ts'
import { createCatchUp } from './agreement/catch-up.ts'
import { type Council, createCouncil } from './agreement/council.ts'
import { createPool, type Pool } from './agreement/pool.ts'
import { type StandingWatch, watchStanding } from './agreement/standing.ts'
import type { SheetSource } from './agreement/steps.ts'
import { createVoter, type Voter } from './agreement/voter.ts'
import { createApplications } from './applications.ts'
import { keepLinks, type Links } from './links.ts'
import { ownMove } from './own-move.ts'
import { type Pace, REAL_PACE } from './pace.ts'
import { livePeers, type Peers } from './peers.ts'
import { type PresenceBeat, presenceBeat } from './presence.ts'
import { rosterService } from './roster-service.ts'
import { openRosterStore, type RosterStore } from './roster-store.ts'

const NO_REPLICAS: readonly PeerAddress[] = []

interface MembershipInit {
  manifest: Manifest
  host: Host
  signer: Signer
  /** Records of this federation only; the caller has called `assertSameFederation`. */
  records: Records
  /** The rosters of `records`, if the caller opened them already. */
  rosters?: RosterStore
  clock: Clock
  random: Random
  log: Log
  /** 32-byte secret of this peer's operator, if the operator votes here. */
  operatorSecret?: Uint8Array
  /** Multiaddrs where others reach this peer. */
  addresses(): readonly string[]
  /** The first bytes of the id of the release that this peer claims to run. */
  release?: Uint8Array
  sheets?: SheetSource
  /** The other replicas of this peer's shards. */
  otherReplicas?(): readonly PeerAddress[]
  pace?: Pace
}
export interface Membership {
  readonly peers: Peers
  readonly rosters: RosterStore
  readonly pool: Pool
  readonly voter: Voter | undefined
  /** The central peer starts it. */
  readonly standing: StandingWatch
  /** Serves the roster protocol, and takes no further part. */
  serve(): Promise<void>
  /** Serves the roster protocol and runs the first round; at founding resolves when that round is over. */
  start(): Promise<void>
  /** Resolves when no work is running any more. Stop the host meanwhile, otherwise this waits for other peers. */
  stop(): Promise<void>
  /** Whether the newest roster names this peer. */
  isPeer(): boolean
  /** Publishes a signed change. Throws CHANGE_INVALID when no roster can make it, or the pool refuses it. */
  submit(change: SignedChange): void
  accuse(evidence: Evidence): void
  /** Takes a message into the pool and, if it is new there, publishes it. */
  say(message: GossipMessage): void
  status(): MembershipStatus
}
/** Counts and public keys only. */
export interface MembershipStatus {
  isForked: boolean
  /** The kinds of evidence that is kept here. */
  evidence: Evidence['kind'][]
  /** Height of the roster that is being agreed on. */
  due: number | undefined
  peers: { key: Uint8Array; operator: string; role: string; isHere: boolean; linked: boolean }[]
  handovers: Handover[]
}

/** Throws MANIFEST_INVALID, ROSTER_INVALID, STORAGE_CORRUPT. */
export async function createMembership(init: MembershipInit): Promise<Membership> {
  const rosters = init.rosters ?? (await openRosterStore(init.manifest, init.records))
  const parts = buildParts(init, rosters, evaluationVerifier(await loadGroup()))
  connect(init, parts)
  const { peers, pool, voter, submit, say, beat, council, standing, links } = parts
  const { host, clock } = init
  const serve = async (): Promise<void> => {
    const application = createApplications(pool, rosters)
    const federation = manifestToId(init.manifest)
    const service = {
      federation,
      peers,
      rosters,
      clock,
      body: (hash: Uint8Array) => council.body(hash),
      pins: pool.pins,
      spreads: pool.spreads,
      messages: pool.messages,
      presence: () => pool.presence(host.key),
      application,
      submit,
    }
    await host.serve(ROSTER_PROTOCOL, rosterService(service))
  }
  return {
    peers,
    rosters,
    pool,
    voter,
    standing,
    serve,
    async start() {
      await serve()
      host.gossip.admit(peers.has)
      links.start()
      beat.start()
      announceMove(init, parts)
      await council.start()
    },
    async stop() {
      links.stop()
      beat.stop()
      standing.stop()
      await council.stop()
    },
    isPeer: () => peers.has(host.key),
    submit: (change) => submitChange(parts, change),
    accuse: (evidence) => say({ kind: 'evidence', evidence: encodeEvidence(evidence) }),
    say,
    status: () => toStatus(init, parts),
  }
}

interface Parts {
  readonly rosters: RosterStore
  readonly peers: Peers
  readonly pool: Pool
  readonly voter: Voter | undefined
  readonly beat: PresenceBeat
  readonly council: Council
  readonly standing: StandingWatch
  readonly links: Links
  /** Takes an encoded message into the pool and publishes it; false if the pool did not accept it. */
  submit(message: Uint8Array): boolean
  say(message: GossipMessage): void
}

function buildParts(init: MembershipInit, rosters: RosterStore, verifier: EvaluationVerifier): Parts {
  const { manifest, host, signer, records, clock, random, log, operatorSecret, sheets, addresses, release } = init
  const { pace = REAL_PACE, otherReplicas = () => NO_REPLICAS } = init
  const voter = operatorSecret && createVoter(nativeSigner(operatorSecret), operatorSecret, records)
  // `peers` and `pool` need each other: `peers` asks the pool only once both exist.
  const peers = livePeers({
    manifest,
    newest: () => rosters.newest?.roster,
    addresses: (key) => pool.presence(key)?.addresses ?? [],
    isConvicted: (key) => pool.isConvicted(key),
    version: () => pool.version(),
  })
  const publish = (bytes: Uint8Array): void => {
    host.gossip.publish(bytes).catch(() => log.warn('gossip.not-published'))
  }
  const pool = createPool({ manifest, rosters, clock, isPeer: peers.has, spread: publish, verifier })
  const submit = (bytes: Uint8Array): boolean => {
    if (pool.offer(bytes) !== 'accept') return false
    publish(bytes)
    return true
  }
  const say = (message: GossipMessage): void => void submit(encodeGossip(message))
  const members = (): number => peers.all().length
  const others = (): readonly PeerAddress[] => peers.others(host.key)
  const beat = presenceBeat({ signer, rosters, clock, addresses, members, say, pace, ...(release && { release }) })
  const catchUp = createCatchUp({ peers, host, rosters, pool, clock, random, log })
  const council = createCouncil({ manifest, peers, host, rosters, pool, catchUp, clock, log, voter, sheets, say })
  const { sinceMs } = beat
  const standing = watchStanding({ ownKey: host.key, peers, rosters, pool, catchUp, clock, random, sinceMs })
  const links = keepLinks({ host, clock, others, otherReplicas, pace })
  return { rosters, peers, pool, voter, beat, council, standing, links, submit, say }
}

/** Lets the parts react to gossip, to new messages and to new rosters. */
function connect(init: MembershipInit, parts: Parts): void {
  const { log } = init
  const { gossip } = init.host
  const { rosters, peers, pool, beat, council } = parts
  gossip.onMessage((bytes) => pool.offer(bytes))
  gossip.onPeer((key) => {
    beat.beat()
    council.meet(key)
  })
  pool.onNews((kind) => {
    // Presences come often and change little; a round may wait for any other message.
    if (kind !== 'presence' || rosters.newest === undefined) council.nudge()
    if (kind !== 'evidence') return
    gossip.admit(peers.has)
    const proof = pool.evidence().at(-1)
    if (proof !== undefined) log.warn('evidence.proven', { kind: proof.kind })
  })
  rosters.onAdd(() => {
    gossip.admit(peers.has)
    beat.beatLater()
    announceMove(init, parts)
  })
}

/** Publishes this member's current addresses when the roster has others. */
function announceMove({ manifest, signer, clock, addresses }: MembershipInit, { rosters, pool, say }: Parts): void {
  const roster = rosters.newest?.roster
  const [pending, nowMs] = [pool.changes(), clock.now()]
  const move = ownMove({ roster, key: signer.key, addresses: addresses(), pending, nowMs })
  if (move === undefined) return
  const signed = signChange(newChange(manifestToId(manifest), move), signer)
  say({ kind: 'change', change: encodeChange(signed) })
}

function submitChange({ rosters, pool, submit }: Parts, signed: SignedChange): void {
  const problem = rosters.newest && changeToProblem(rosters.newest, signed)
  if (problem !== undefined) throw invalidChange(`no roster can make it: ${problem}`)
  if (submit(encodeGossip({ kind: 'change', change: encodeChange(signed) }))) return
  const id = changeToId(signed)
  const isKnown = pool.changes().some((known) => equalBytes(changeToId(known), id))
  throw invalidChange(
    isKnown
      ? 'the federation has it already, with these signatures: wait for the next roster'
      : 'no operator and no peer of the federation signed it: have an operator endorse it',
  )
}

function toStatus({ manifest, host }: MembershipInit, parts: Parts): MembershipStatus {
  const { rosters, peers, pool, beat, council, links } = parts
  const { operators } = rosters.newest?.roster ?? manifest
  const linked = links.state()
  const sinceMs = beat.sinceMs()
  return {
    isForked: rosters.isForked,
    evidence: pool.evidence().map(({ kind }) => kind),
    due: council.due()?.height,
    peers: peers.others(host.key).map(({ key, operator, role }) => ({
      key,
      operator: operators[operator]?.name ?? '',
      role,
      isHere: (pool.presence(key)?.time ?? 0) >= sinceMs,
      linked: linked.some((link) => link.linked && equalBytes(link.key, key)),
    })),
    handovers: pool.handovers(),
  }
}

/** One directory serves one federation only. Otherwise a peer could mix up the votes and sheets of two federations. */
export async function assertSameFederation(manifest: Manifest, records: Records): Promise<void> {
  const id = manifestToId(manifest)
  const known = await records.get('federation')
  if (known === undefined) await records.put('federation', id)
  else if (Buffer.compare(known, id) !== 0) {
    const reason = 'this directory belongs to another federation; use a new directory'
    throw new FederationError('MANIFEST_INVALID', `federation.json: founding: ${reason}`, { path: 'founding', reason })
  }
}

/** Whether a peer with these records was started before. */
export async function isFoundedWith(records: Records): Promise<boolean> {
  return (await records.get('federation')) !== undefined
}

function invalidChange(reason: string): FederationError<'CHANGE_INVALID'> {
  return new FederationError('CHANGE_INVALID', `change: ${reason}`, { reason })
}
