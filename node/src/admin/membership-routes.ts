/**
 * Control routes about the federation: an operator reads the rosters of a running peer and submits signed changes.
 * PROTOCOL.md §4. Throws NODE_NOT_RUNNING before the peer has started, COMMAND_INVALID for a change that it refuses.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  bytesToHex,
  type CertifiedRoster,
  type Change,
  changeToId,
  changeToProblem,
  decodeChange,
  EPOCH_MS,
  encodeChange,
  equalBytes,
  FederationError,
  hashToRosterName,
  keyToPeerId,
  nextFirstEpoch,
  quorum,
  type Roster,
  type SignedChange,
  type SpreadParameters,
  signChange,
  sponsorQuorum,
} from '@geotrace/core-wasm/wire'
import type { Membership } from '../membership/membership.ts'
import { plural } from './page/words.ts'
import type { AdminRoutes } from './server.ts'

/** A change as JSON for people: keys are peer ids or hex. */
export interface ChangeView {
  id: string
  kind: Change['kind']
  /** The effect of the change, in words. */
  what: string
  /** A roster that contains the change must begin in this epoch or earlier. */
  until: number
  /** Names of the operators of the newest roster that signed the change. */
  endorsedBy: string[]
  /** Number of operators that must sign the change. */
  needs: number
  /** Why no roster can make the change, in words. */
  problem?: string
  /** When the next roster begins, Unix ms. */
  nextRosterMs?: number
}
export interface RosterView {
  height: number
  name: string
  firstEpoch: number
  operators: number
  members: number
  newcomers: number
  admitted: number
  votes: number
  /** The id of the release that the operators agreed on, in hex. */
  release?: string
  changes: string[]
}

/** `membership` returns undefined until the peer has started. */
export function membershipRoutes(membership: () => Membership | undefined, clock: Clock): AdminRoutes {
  const running = (): Membership =>
    membership() ??
    (() => {
      const next = 'run the command again in a moment'
      throw new FederationError('NODE_NOT_RUNNING', `the node is still starting; ${next}`, { dir: '', next })
    })()
  const toView = (signed: SignedChange): ChangeView => changeToView(signed, running().rosters.newest, clock.now())
  return {
    'GET /rosters': () => {
      const { rosters, pool } = running()
      return {
        isForked: rosters.isForked,
        rosters: rosters.recent.map(rosterToView),
        pending: pool.changes().map(toView),
      }
    },
    /** Shows the effect of a change, and why no roster can make it. */
    'POST /changes/check': (body) => toView(known(running(), readChange(body))),
    /** Submits a signed change unchanged. */
    'POST /changes': (body) => {
      const change = readChange(body)
      running().submit(change)
      return toView(known(running(), change))
    },
    /** Signs a change with this operator's key and submits it. The same again changes nothing. */
    'POST /changes/endorse': (body) => {
      const { voter, submit } = running()
      if (voter === undefined) {
        const next = 'run the command on the machine that has your operator.key'
        throw new FederationError('COMMAND_INVALID', `this node has no operator key; ${next}`, {
          reason: 'this node has no operator key',
          next,
        })
      }
      const change = readChange(body)
      const isSigned = known(running(), change).signatures.some(({ key }) => equalBytes(key, voter.signer.key))
      if (!isSigned) submit(signChange(change, voter.signer))
      return toView(known(running(), change))
    },
  }
}

/** The change with all endorsements that this peer knows. */
function known({ pool }: Membership, change: SignedChange): SignedChange {
  const id = changeToId(change)
  return pool.changes().find((item) => equalBytes(changeToId(item), id)) ?? change
}

function changeToView(signed: SignedChange, newest: CertifiedRoster | undefined, nowMs: number): ChangeView {
  const { change, signatures } = signed
  const operators = newest?.roster.operators ?? []
  const signers = operators.filter(({ key }) => signatures.some((item) => equalBytes(item.key, key)))
  const problem = newest && changeToProblem(newest, signed)
  return {
    id: bytesToHex(changeToId(signed)).slice(0, 16),
    kind: change.kind,
    what: changeToText(change, newest),
    until: change.until,
    endorsedBy: signers.map(({ name }) => name),
    needs: endorsementsNeeded(change, newest),
    ...(problem !== undefined && { problem }),
    ...(newest !== undefined && { nextRosterMs: nextFirstEpoch(newest.roster, nowMs) * EPOCH_MS }),
  }
}

function endorsementsNeeded(change: Change, newest: CertifiedRoster | undefined): number {
  const operators = newest?.roster.operators ?? []
  switch (change.kind) {
    case 'join':
      return operators.some(({ key }) => equalBytes(key, change.operatorKey)) ? 0 : sponsorQuorum(operators.length)
    case 'expel':
    case 'amend':
      return quorum(operators.length)
    default:
      return 0
  }
}

/** `newest` gives names to keys; without it keys stay keys. */
export function changeToText(change: Change, newest: CertifiedRoster | undefined): string {
  const toName = (key: Uint8Array): string => keyToName(key, newest?.roster)
  switch (change.kind) {
    case 'join':
      return `${change.operator} joins with node ${keyToPeerId(change.key)} at ${change.addresses.join(', ')}`
    case 'leave':
      return `${toName(change.key)} leaves`
    case 'move':
      return `${toName(change.key)} moves to ${change.addresses.join(', ')}`
    case 'rotate':
      return `${toName(change.from)} has a new key`
    case 'expel':
      return `${toName(change.key)} is removed`
    case 'lied':
      return `${toName(change.key)} contradicted itself and is removed`
    case 'seal':
      return 'the central peer has a new seal key'
    case 'amend':
      return `the federation changes to ${amendmentToText(change)}`
  }
}

function amendmentToText(change: Change & { kind: 'amend' }): string {
  const { core, shards, replicas, evaluations, apps, spread, release, tokens } = change
  const parts = [
    core !== null && `core ${bytesToHex(core.simd).slice(0, 8)}…`,
    shards !== null && `${shards} shards`,
    replicas !== null && `${replicas} replicas of each shard`,
    evaluations !== null && `${evaluations} evaluations per shard and epoch`,
    apps !== null && `web apps ${apps.join(' ') || 'none'}`,
    spread !== undefined && (spread === null ? 'no spread' : spreadToText(spread)),
    tokens !== undefined &&
      (tokens === null ? 'no tokens' : `${tokens.perDay} tokens a day under key ${tokens.key.slice(0, 8)}…`),
    release !== undefined && (release === null ? 'no release' : `release ${bytesToHex(release)}`),
  ].filter(Boolean)
  // A roster holds the plan of the next one, because its nodes need time for the seeds.
  const when = shards !== null || replicas !== null ? ', from the roster after the one that makes the change' : ''
  return `${parts.join(', ')}${when}`
}

function spreadToText({ areas, resolution, periodDays }: SpreadParameters): string {
  return `a spread of ${plural(areas.length, 'area')} at resolution ${resolution} every ${plural(periodDays, 'day')}`
}

function keyToName(key: Uint8Array, roster: Roster | undefined): string {
  const operator = roster?.operators.find((item) => equalBytes(item.key, key))
  if (operator !== undefined) return `operator ${operator.name}`
  const peers = roster === undefined ? [] : [...roster.members, ...roster.newcomers, ...roster.admitted, roster.central]
  const owner = roster?.operators[peers.find((peer) => equalBytes(peer.key, key))?.operator ?? -1]
  return `node ${keyToPeerId(key)}${owner === undefined ? '' : ` of ${owner.name}`}`
}

function rosterToView(certified: CertifiedRoster): RosterView {
  const { roster, hash, votes } = certified
  return {
    height: roster.height,
    name: bytesToHex(hashToRosterName(hash)),
    firstEpoch: roster.firstEpoch,
    operators: roster.operators.length,
    members: roster.members.length,
    newcomers: roster.newcomers.length,
    admitted: roster.admitted.length,
    votes: votes.length,
    ...(roster.release && { release: bytesToHex(roster.release) }),
    changes: roster.changes.map((encoded) => changeToText(decodeChange(encoded).change, certified)),
  }
}

/** The encoding of a change in the JSON of the control server. */
export function changeToBase64(change: SignedChange): string {
  return Buffer.from(encodeChange(change)).toString('base64')
}

function readChange(body: unknown): SignedChange {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>).change : undefined
  if (typeof value === 'string') return decodeChange(new Uint8Array(Buffer.from(value, 'base64')))
  const reason = '"change" expected a signed change in base64'
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
