/**
 * Answers /geotrace/roster/1. PROTOCOL.md §7.3. Everybody may ask for rosters, steps and the time, and submit evidence.
 * Proposal bodies, the pool and other messages are for peers of the federation only; strangers get FORBIDDEN.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  certifiedToStep,
  decodeGossip,
  decodeRosterRequest,
  encodeCertifiedRoster,
  encodeDone,
  encodePoolReply,
  encodeRosterReply,
  encodeRosterStep,
  encodeTimeReply,
  FederationError,
} from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import type { Peers } from './peers.ts'
import type { RosterStore } from './roster-store.ts'

interface RosterServiceInit {
  peers: Peers
  rosters: RosterStore
  clock: Clock
  body(hash: Uint8Array): CertifiedRoster | undefined
  messages(): Uint8Array[]
  /** Takes a message in and publishes it; false if the message is known or of no use. */
  submit(message: Uint8Array): boolean
}

export function rosterService({ peers, rosters, clock, body, messages, submit }: RosterServiceInit): Handler {
  const reply = (certified: CertifiedRoster | undefined): Uint8Array =>
    encodeRosterReply(certified === undefined ? undefined : encodeCertifiedRoster(certified))
  return async (bytes, from) => {
    const request = decodeRosterRequest(bytes)
    const isPeer = peers.withKey(from.key) !== undefined
    switch (request.op) {
      case 'get':
        return reply(rosters.at(request.height))
      case 'step': {
        const known = rosters.at(request.height)
        return encodeRosterReply(known && encodeRosterStep(certifiedToStep(known)))
      }
      case 'time':
        return encodeTimeReply(clock.now())
      case 'submit':
        if (!isPeer && decodeGossip(request.message).kind !== 'evidence') throw stranger()
        if (!submit(request.message))
          throw new FederationError('FORBIDDEN', 'the message is known already or of no use')
        return encodeDone()
      case 'body':
        if (!isPeer) throw stranger()
        return reply(body(request.hash))
      case 'pool':
        if (!isPeer) throw stranger()
        return encodePoolReply(messages())
    }
  }
}

function stranger(): FederationError<'FORBIDDEN'> {
  return new FederationError('FORBIDDEN', 'this request is for peers of the federation only')
}
