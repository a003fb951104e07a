/**
 * Builds the founding manifest of a new federation from the cards of its members. PROTOCOL.md §4.1.
 * The manifest alone founds nothing: the peers that it names make seeds, sign sheets and certify roster 0 when they run.
 * Throws COMMAND_INVALID, MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK.
 */

import type { Random } from '@geotrace/core-wasm'
import { CORE_SHA256 } from '@geotrace/core-wasm'
import {
  assertManifest,
  bytesToHex,
  DEFAULT_PARAMETERS,
  demoSecret,
  FederationError,
  keyToPeerId,
  type Manifest,
  type Parameters,
  secretToSigner,
} from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'

/** The data of one node that a founder needs. `geotrace salt init` prints a card, `geotrace federation found` reads it. */
export interface MemberCard {
  operator: string
  /** Hex. */
  operatorKey: string
  peerId: string
  addresses: string[]
}

const cardSchema = z.strictObject({
  operator: z.string(),
  operatorKey: z.string(),
  peerId: z.string(),
  addresses: z.array(z.string()).check(z.minLength(1)),
})

/** Parses a card that `geotrace salt init` printed. `path` names it in the error. Throws COMMAND_INVALID. */
export function parseCard(text: string, path: string): MemberCard {
  try {
    return z.parse(cardSchema, JSON.parse(text))
  } catch (cause) {
    const reason = `expected a member's card in ${path}; \`geotrace salt init\` prints one`
    throw new FederationError('COMMAND_INVALID', reason, { reason }, { cause })
  }
}

interface NewFederation {
  name: string
  members: MemberCard[]
  central: MemberCard
  parameters?: Partial<Parameters>
  demo?: { phrase: string; speed?: number }
  /** Unix ms. */
  at: number
  random: Random
}

/** The founding manifest, with a fresh nonce. Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export function newManifest({ name, members, central, parameters, demo, at, random }: NewFederation): Manifest {
  const operators = new Map([...members, central].map((card) => [card.operator, card.operatorKey]))
  const entry = ({ peerId, operator, addresses }: MemberCard) => ({ peerId, operator, addresses })
  return assertManifest({
    version: 1,
    name,
    ...(demo === undefined ? {} : { demo }),
    founding: { nonce: bytesToHex(random(32)), at: new Date(at).toISOString() },
    parameters: { ...DEFAULT_PARAMETERS, ...parameters },
    core: CORE_SHA256,
    operators: [...operators].map(([operator, key]) => ({ name: operator, key })),
    members: members.map(entry),
    central: entry(central),
  })
}

/** The card of a demo node: all its keys derive from the phrase. PROTOCOL.md §4.3. */
export function demoCard(phrase: string, operator: string, addresses: string[]): MemberCard {
  return {
    operator,
    operatorKey: bytesToHex(secretToSigner(demoSecret(phrase, `operator/${operator}`)).key),
    peerId: keyToPeerId(secretToSigner(demoSecret(phrase, `peer/${operator}`)).key),
    addresses,
  }
}
