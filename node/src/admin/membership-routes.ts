/** What an operator asks of a running peer about its federation, over the control server. node/README.md. */
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

/** A change as people read it: keys as peer ids or hex, no bytes. */
export interface ChangeView {
  id: string
  kind: Change['kind']
  /** What it does, in words. */
  what: string
  /** The last epoch in which a roster may begin that makes it. */
  until: number
  /** Operators of the newest roster who signed it. */
  endorsedBy: string[]
  /** Endorsements that it needs of operators. */
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

/** `membership` while the peer runs; GET only reads. */
export function membershipRoutes(membership: () => Membership | undefined): AdminRoutes {
  const running = (): Membership =>
    membership() ??
    (() => {
      throw new FederationError('NODE_NOT_RUNNING', 'the node is starting', { dir: '' })
    })()
  return {
    'GET /rosters': () => {
      const { rosters, pool } = running()
      return {
        isForked: rosters.isForked,
        rosters: rosters.all.map(rosterToView),
        pending: pool.changes().map((change) => changeToView(change, rosters.newest)),
      }
    },
    /** Hands a signed change in as it is. */
    'POST /changes': (body) => {
      return handIn(running(), readChange(body))
    },
    /** Endorses it with this operator's key, and hands it in. */
    'POST /changes/endorse': (body) => {
      const { voter } = running()
      if (voter === undefined) refuse('this node has no operator key: run the command where your operator.key is')
      return handIn(running(), signChange(readChange(body), voter.signer))
    },
  }
}

/** What is known of it then: others may have endorsed it before. */
function handIn({ submit, pool, rosters }: Membership, change: SignedChange): ChangeView {
  submit(change)
  const id = changeToId(change)
  const known = pool.changes().find((item) => equalBytes(changeToId(item), id))
  return changeToView(known ?? change, rosters.newest)
}

export function changeToView(signed: SignedChange, newest: CertifiedRoster | undefined): ChangeView {
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
  const who = (key: Uint8Array): string => {
    const operator = newest?.roster.operators.find((item) => equalBytes(item.key, key))
    return operator === undefined ? `node ${keyToPeerId(key)}` : `operator ${operator.name}`
  }
  switch (change.kind) {
    case 'join':
      return `${change.operator} joins with node ${keyToPeerId(change.key)} at ${change.addresses.join(', ')}`
    case 'leave':
      return `${who(change.key)} leaves`
    case 'move':
      return `${who(change.key)} moves to ${change.addresses.join(', ')}`
    case 'rotate':
      return `${who(change.from)} has a new key`
    case 'expel':
      return `${who(change.key)} is expelled`
    case 'lied':
      return `${who(change.key)} contradicted itself and is out`
    case 'amend': {
      const parts = [
        change.core !== null && `core ${bytesToHex(change.core.simd).slice(0, 8)}…`,
        change.shards !== null && `${change.shards} shards`,
        change.replicas !== null && `${change.replicas} replicas`,
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

/** The control server speaks JSON: a change travels in base64. */
export function changeToBase64(change: SignedChange): string {
  return Buffer.from(encodeChange(change)).toString('base64')
}

function readChange(body: unknown): SignedChange {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>).change : undefined
  if (typeof value !== 'string') refuse('"change" expected base64')
  return decodeChange(new Uint8Array(Buffer.from(value, 'base64')))
}

function refuse(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
