/**
 * Answers /geotrace/roster/1. PROTOCOL.md §7.3. Everybody may ask for rosters, pins, spreads, their keys, the time and
 * this peer's presence, and submit evidence and pins.
 * Proposal bodies, the pool and other messages are for peers of the federation only; strangers get FORBIDDEN. A node that
 * applied to join gets its own application from the pool.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  certifiedToStep,
  decodeCertifiedRoster,
  decodeGossip,
  decodeRosterRequest,
  encodeCertifiedRoster,
  encodeDone,
  encodeGossip,
  encodeNewsReply,
  encodePoolReply,
  encodeRosterReply,
  encodeRosterStep,
  encodeSpread,
  encodeSpreadKeysReply,
  encodeTimeReply,
  FederationError,
  type GossipKind,
  type Pin,
  type Presence,
  type SpreadKey,
} from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import type { Peers } from './peers.ts'
import type { RosterStore } from './roster-store.ts'
import type { SpreadTable } from './spread-table.ts'

interface RosterServiceInit {
  /** The id of the federation. */
  federation: Uint8Array
  peers: Peers
  rosters: RosterStore
  clock: Clock
  body(hash: Uint8Array): CertifiedRoster | undefined
  /** The pins of this epoch and of later ones, ascending. */
  pins(from: number): readonly Pin[]
  spreads: Pick<SpreadTable, 'ruleOf' | 'keyOf' | 'spreadOf'>
  messages(): Uint8Array[]
  /** This peer's own newest presence. */
  presence(): Presence | undefined
  /** The message with the application of the node with this key, while it waits for a roster. */
  application(key: Uint8Array | undefined): Uint8Array | undefined
  /** Takes a message in and publishes it; false if the message is known or of no use. */
  submit(message: Uint8Array): boolean
}

/** The kinds of gossip that prove themselves, so a stranger may submit them. */
const OPEN_KINDS: readonly GossipKind[] = ['evidence', 'pin']

export function rosterService(init: RosterServiceInit): Handler {
  const { federation, peers, rosters, clock, body, pins, spreads, messages, presence, application, submit } = init
  const reply = (certified: CertifiedRoster | undefined): Uint8Array =>
    encodeRosterReply(certified === undefined ? undefined : encodeCertifiedRoster(certified))
  return async (bytes, from) => {
    const request = decodeRosterRequest(bytes)
    const isPeer = peers.withKey(from.key) !== undefined
    switch (request.op) {
      case 'get':
        return encodeRosterReply(await rosters.certificate(request.height))
      case 'news': {
        const known = rosters.at(request.height) ?? (await toCertified(rosters.certificate(request.height)))
        return encodeNewsReply({ pins: pins(request.epoch), step: known && toStep(known) })
      }
      case 'named': {
        const known = rosters.named(request.roster)
        return request.form === 'certificate' ? reply(known) : encodeRosterReply(known && toStep(known))
      }
      case 'spread-keys':
        return encodeSpreadKeysReply(toSpreadKeys(spreads, request.period))
      case 'spread': {
        const spread = spreads.spreadOf(request.period)
        return encodeRosterReply(spread && encodeSpread(spread))
      }
      case 'presence': {
        const own = presence()
        return encodeRosterReply(own && encodeGossip(own))
      }
      case 'time':
        return encodeTimeReply({ time: clock.now(), federation })
      case 'submit':
        if (!isPeer && !OPEN_KINDS.includes(decodeGossip(request.message).kind)) throw stranger()
        if (!submit(request.message))
          throw new FederationError('FORBIDDEN', 'the message is known already or of no use')
        return encodeDone()
      case 'body':
        if (!isPeer) throw stranger()
        return reply(body(request.hash))
      case 'pool':
        return encodePoolReply(isPeer ? messages() : [application(from.key) ?? refuse()])
    }
  }
}

function toSpreadKeys(spreads: RosterServiceInit['spreads'], period: number): SpreadKey[] {
  const rule = spreads.ruleOf(period)
  if (rule === undefined) return []
  return [rule.mixer, rule.teller].flatMap(({ key }) => spreads.keyOf(period, key) ?? [])
}

function toStep(certified: CertifiedRoster): Uint8Array {
  return encodeRosterStep(certifiedToStep(certified))
}

async function toCertified(loading: Promise<Uint8Array | undefined>): Promise<CertifiedRoster | undefined> {
  const bytes = await loading
  return bytes && decodeCertifiedRoster(bytes)
}

function refuse(): never {
  throw stranger()
}

function stranger(): FederationError<'FORBIDDEN'> {
  return new FederationError('FORBIDDEN', 'this request is for peers of the federation only')
}
