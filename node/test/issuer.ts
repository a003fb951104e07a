/** An issuer of tokens for tests: the demo's key, and the whole way of a token without a network. */
import { constants, privateDecrypt } from 'node:crypto'
import { blindToken, type TokenKind, toTokenChallenge } from '@geotrace/core-wasm/tokens'
import { DEMO_PHRASE, hexToBytes, type TokenParameters } from '@geotrace/core-wasm/wire'
import { demoIssuerNumbers } from '../src/membership/demo-issuer.ts'
import { systemRandom } from '../src/platform/random.ts'

const issuers = demoIssuerNumbers(DEMO_PHRASE)
export const TOKENS: TokenParameters = {
  perDay: 4,
  key: issuers.evaluation.modulus,
  relayKey: issuers.relay.modulus,
}
export const MODULUS = hexToBytes(TOKENS.key)

/** A token for a node and a UTC day. */
export function tokenFor(
  federation: Uint8Array,
  node: Uint8Array,
  day: number,
  kind: TokenKind = 'evaluation',
): Uint8Array {
  const { modulus, key } = issuers[kind]
  const challenge = toTokenChallenge(kind, federation, node, day)
  const { message, finish } = blindToken(hexToBytes(modulus), challenge, systemRandom)
  return finish(new Uint8Array(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, message)))!
}

/** An issuer that nobody asks. */
export const noTokens = { answer: () => Promise.reject(new Error('unexpected')) }
