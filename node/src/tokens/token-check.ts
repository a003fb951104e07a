/**
 * Checks a token: the issuer of the federation signed it with the key of this kind, for this node and this UTC day. PROTOCOL.md §5.12. The signature is
 * ordinary RSASSA-PSS, so OpenSSL verifies it. Throws TOKEN_REFUSED.
 */
import { constants, createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import {
  kindToKey,
  modulusToKeyId,
  modulusToSpki,
  openToken,
  type TokenKind,
  toTokenChallenge,
} from '@geotrace/core-wasm/tokens'
import {
  DAY_MS,
  equalBytes,
  FederationError,
  hexToBytes,
  isFederationError,
  MINUTE_MS,
  type TokenParameters,
} from '@geotrace/core-wasm/wire'

import type { RosterStore } from '../membership/roster-store.ts'

/** Clocks differ, so a token of a day is good a little before the day and after it. */
const OTHER_DAY_MS = 2 * MINUTE_MS
const SALT_LENGTH = 48
/** Rosters whose issuer's keys are good: a token of the last day may have the key before. */
const ROSTERS_MAX = 2
const NAME_BYTES = 16

/** A token that is worth a bucket. */
export interface GoodToken {
  /** UTC day. */
  readonly day: number
  /** 16 bytes: equal for equal tokens. */
  readonly name: Uint8Array
}
interface TokenCheckInit {
  readonly kind: TokenKind
  readonly federation: Uint8Array
  /** The key of this node. */
  readonly node: Uint8Array
  /** The tokens of the rosters in use, because a roster may bring another key. */
  parameters(): readonly TokenParameters[]
}

/** The tokens of the rosters whose keys are good. */
export function recentTokens({ recent }: Pick<RosterStore, 'recent'>): readonly TokenParameters[] {
  return recent.slice(-ROSTERS_MAX).flatMap(({ roster }) => roster.tokens ?? [])
}

export type TokenCheck = (token: Uint8Array, nowMs: number) => GoodToken

export function tokenCheck({ kind, federation, node, parameters }: TokenCheckInit): TokenCheck {
  const keys = new Map<string, KeyObject>()
  /** The keys of at most two rosters. */
  const keyOf = (keyId: Uint8Array): KeyObject => {
    const modulus = parameters()
      .map((item) => kindToKey(item, kind))
      .find((key) => equalBytes(modulusToKeyId(hexToBytes(key)), keyId))
    if (modulus === undefined) throw refused('its key is no key of the issuer for this use')
    const known = keys.get(modulus)
    if (known !== undefined) return known
    keys.clear()
    const key = createPublicKey({ key: Buffer.from(modulusToSpki(hexToBytes(modulus))), format: 'der', type: 'spki' })
    keys.set(modulus, key)
    return key
  }
  return (token, nowMs) => {
    const { input, challenge, keyId, signature } = open(token)
    const days = [nowMs, nowMs - OTHER_DAY_MS, nowMs + OTHER_DAY_MS].map((time) => Math.floor(time / DAY_MS))
    const day = days.find((item) => equalBytes(toTokenChallenge(kind, federation, node, item), challenge))
    if (day === undefined) throw refused('it is for another node or another day')
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_LENGTH }
    if (!verify('sha384', input, { key: keyOf(keyId), ...padding }, signature)) throw refused('its signature fails')
    return { day, name: new Uint8Array(createHash('sha256').update(input).digest().subarray(0, NAME_BYTES)) }
  }
}

function open(token: Uint8Array): ReturnType<typeof openToken> {
  try {
    return openToken(token)
  } catch (error) {
    if (!isFederationError(error, 'MESSAGE_MALFORMED')) throw error
    throw refused('it has another form')
  }
}

/** The refusal of a token. The request costs nothing then. */
export function refused(reason: string): FederationError<'TOKEN_REFUSED'> {
  return new FederationError('TOKEN_REFUSED', `the token is refused, because ${reason}: ask without it, or use another`)
}
