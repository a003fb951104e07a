/**
 * Builds the founding manifest of a new federation from the cards of its members. PROTOCOL.md §4.1, §4.2.
 * `newManifest` freezes it, then every member opens the nonce of its card, and `completeManifest` completes it. The manifest
 * alone founds nothing: the peers that it names make seeds, sign sheets and certify roster 0 when they run.
 * Throws COMMAND_INVALID, MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK.
 */
import { CORE_SHA256 } from '@geotrace/core-wasm'
import { secretToSealKey } from '@geotrace/core-wasm/seal'
import {
  assertFrozenManifest,
  bytesToHex,
  completeManifest,
  DEFAULT_PARAMETERS,
  demoSecret,
  FederationError,
  type FrozenManifest,
  keyToPeerId,
  type Manifest,
  nonceToCommitment,
  type Parameters,
  secretToSigner,
  type TokenParameters,
} from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import { demoIssuerNumbers } from './demo-issuer.ts'

/** The data of one node that a founder needs. `geotrace salt init` prints a card, `geotrace federation found` reads it. */
export interface MemberCard {
  operator: string
  /** Hex. */
  operatorKey: string
  peerId: string
  addresses: string[]
  /** Hex; commits to a nonce that the member opens once the manifest is frozen. */
  commitment: string
  /** Hex, only of the central peer: the X25519 key to which devices seal their syncs. */
  seal?: string | undefined
}

const cardSchema = z.strictObject({
  operator: z.string(),
  operatorKey: z.string(),
  peerId: z.string(),
  addresses: z.array(z.string()).check(z.minLength(1)),
  commitment: z.string(),
  seal: z.optional(z.string()),
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
}

/** The founding manifest without openings. Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export function newManifest({ name, members, central, parameters, demo, at }: NewFederation): FrozenManifest {
  const operators = new Map([...members, central].map((card) => [card.operator, card.operatorKey]))
  const entry = ({ peerId, operator, addresses, commitment }: MemberCard) => {
    return { peerId, operator, addresses, commitment }
  }
  return assertFrozenManifest({
    version: 1,
    name,
    ...(demo === undefined ? {} : { demo }),
    founding: { at: new Date(at).toISOString() },
    parameters: { ...DEFAULT_PARAMETERS, ...parameters },
    core: CORE_SHA256,
    operators: [...operators].map(([operator, key]) => ({ name: operator, key })),
    members: members.map(entry),
    central: { ...entry(central), seal: central.seal },
  })
}

interface NewDemo extends Pick<NewFederation, 'name' | 'parameters' | 'at'> {
  phrase: string
  speed?: number
  /** The salt nodes, then the central peer. */
  peers: readonly { operator: string; addresses: string[] }[]
}

/** Tokens of each device of a demo, as a federation of 3 of 5 gives them. */
export const DEMO_TOKENS_PER_DAY = 4

/** Tokens of a demo, whose issuer's keys derive from the phrase too. */
export function demoTokens(phrase: string, perDay: number): TokenParameters {
  const { evaluation, relay } = demoIssuerNumbers(phrase)
  return { perDay, key: evaluation.modulus, relayKey: relay.modulus }
}

/** The complete manifest of a federation with published keys and nonces. PROTOCOL.md §4.3. Throws MANIFEST_INVALID. */
export function newDemoManifest({ phrase, speed, peers, ...rest }: NewDemo): Manifest {
  const cards = peers.map(({ operator, addresses }) => demoCard(phrase, operator, addresses))
  const central = cards.at(-1)!
  const seal = bytesToHex(secretToSealKey(demoSealSecret(phrase, central.operator)))
  const demo = { phrase, ...(speed !== undefined && { speed }) }
  const frozen = newManifest({ ...rest, demo, members: cards.slice(0, -1), central: { ...central, seal } })
  return completeManifest(
    frozen,
    peers.map(({ operator }) => demoNonce(phrase, operator)),
  )
}

/** The first seal secret of the central peer of a demo. PROTOCOL.md §4.3. */
export function demoSealSecret(phrase: string, operator: string): Uint8Array {
  return demoSecret(phrase, `seal/${operator}`)
}

function demoNonce(phrase: string, operator: string): Uint8Array {
  return demoSecret(phrase, `nonce/${operator}`)
}

/** The card of a demo node: its keys and its nonce derive from the phrase. PROTOCOL.md §4.3. */
export function demoCard(phrase: string, operator: string, addresses: string[]): MemberCard {
  return {
    operator,
    operatorKey: bytesToHex(secretToSigner(demoSecret(phrase, `operator/${operator}`)).key),
    peerId: keyToPeerId(secretToSigner(demoSecret(phrase, `peer/${operator}`)).key),
    addresses,
    commitment: bytesToHex(nonceToCommitment(demoNonce(phrase, operator))),
  }
}
