/**
 * Control routes about the federation: an operator reads the rosters of a running peer and submits signed changes.
 * PROTOCOL.md §4. Throws NODE_NOT_RUNNING before the peer has started, COMMAND_INVALID for a change that it refuses.
 */
import {
  bytesToHex,
  type CertifiedRoster,
  type Change,
  changeToId,
  decodeChange,
  encodeChange,
  equalBytes,
  FederationError,
  hashToRosterName,
  keyToPeerId,
  quorum,
  type SignedChange,
  signChange,
  sponsorQuorum,
} from '@geotrace/core-wasm/wire'
import type { Membership } from '../membership/membership.ts'
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
  changes: string[]
}

/** `membership` returns undefined until the peer has started. */
export function membershipRoutes(membership: () => Membership | undefined): AdminRoutes {
  const running = (): Membership =>
    membership() ??
    (() => {
      throw new FederationError('NODE_NOT_RUNNING', 'the node is still starting; try again in a moment', { dir: '' })
    })()
  return {
    'GET /rosters': () => {
      const { rosters, pool } = running()
      return {
        isForked: rosters.isForked,
        rosters: rosters.recent.map(rosterToView),
        pending: pool.changes().map((change) => changeToView(change, rosters.newest)),
      }
    },
    /** Submits a signed change unchanged. */
    'POST /changes': (body) => {
      return submitChange(running(), readChange(body))
    },
    /** Signs a change with this operator's key and submits it. */
    'POST /changes/endorse': (body) => {
      const { voter } = running()
      if (voter === undefined)
        refuse('this node has no operator key; run the command on the machine that has your operator.key')
      return submitChange(running(), signChange(readChange(body), voter.signer))
    },
  }
}

/** Submits the change and returns it with all endorsements that this peer knows. */
function submitChange({ submit, pool, rosters }: Membership, change: SignedChange): ChangeView {
  submit(change)
  const id = changeToId(change)
  const known = pool.changes().find((item) => equalBytes(changeToId(item), id))
  return changeToView(known ?? change, rosters.newest)
}

function changeToView(signed: SignedChange, newest: CertifiedRoster | undefined): ChangeView {
  const { change, signatures } = signed
  const operators = newest?.roster.operators ?? []
  const signers = operators.filter(({ key }) => signatures.some((item) => equalBytes(item.key, key)))
  return {
    id: bytesToHex(changeToId(signed)).slice(0, 16),
    kind: change.kind,
    what: changeToText(change, newest),
    until: change.until,
    endorsedBy: signers.map(({ name }) => name),
    needs: endorsementsNeeded(change, newest),
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

export function changeToText(change: Change, newest: CertifiedRoster | undefined): string {
  const toName = (key: Uint8Array): string => {
    const operator = newest?.roster.operators.find((item) => equalBytes(item.key, key))
    return operator === undefined ? `node ${keyToPeerId(key)}` : `operator ${operator.name}`
  }
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
      return `${toName(change.key)} is expelled`
    case 'lied':
      return `${toName(change.key)} contradicted itself and is out`
    case 'amend': {
      const parts = [
        change.core !== null && `core ${bytesToHex(change.core.simd).slice(0, 8)}…`,
        change.shards !== null && `${change.shards} shards`,
        change.replicas !== null && `${change.replicas} replicas`,
        change.evaluations !== null && `${change.evaluations} evaluations per shard and epoch`,
        change.apps !== null && `web apps ${change.apps.join(' ') || 'none'}`,
      ]
      return `from the next roster but one: ${parts.filter(Boolean).join(', ')}`
    }
  }
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
    changes: roster.changes.map((encoded) => changeToText(decodeChange(encoded).change, certified)),
  }
}

/** The encoding of a change in the JSON of the control server. */
export function changeToBase64(change: SignedChange): string {
  return Buffer.from(encodeChange(change)).toString('base64')
}

function readChange(body: unknown): SignedChange {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>).change : undefined
  if (typeof value !== 'string') refuse('"change" expected a signed change in base64')
  return decodeChange(new Uint8Array(Buffer.from(value, 'base64')))
}

function refuse(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
