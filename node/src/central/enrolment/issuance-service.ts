/**
 * Issues tokens to enrolled devices, in sealed frames that look like syncs. PROTOCOL.md §5.12, §7.8. A lost answer is given
 * again: the signature of a message is always the same. Throws MESSAGE_MALFORMED, CLOCK_SKEWED, TOKEN_REFUSED (no tokens
 * here, or another key), QUOTA_SPENT (the tokens of the day are given), BUSY.
 */
import { createHash } from 'node:crypto'
import { type Clock, turns } from '@geotrace/core-wasm'
import { kindToKey, modulusToKeyId, TOKEN_KINDS, type TokenKind } from '@geotrace/core-wasm/tokens'
import {
  bytesToHex,
  DAY_MS,
  decodeIssuanceRequest,
  type EnrolmentOutcome,
  encodeIssuanceReply,
  equalBytes,
  FederationError,
  hexToBytes,
  type IssuanceRequest,
  issuanceContent,
  type Manifest,
  type TokenParameters,
} from '@geotrace/core-wasm/wire'
import { assertRecentMinute } from '../sync/recent-minute.ts'
import type { Enrolments } from './enrolments.ts'
import type { BlindSigner, IssuerKeys } from './issuer-keys.ts'

/** Requests that wait. One takes a few milliseconds, most of them for the signatures. */
const WAITING_MAX = 256

export interface IssuanceCounters {
  /** Devices that presented a good code, and tokens signed, since the start. */
  enrolments: number
  tokens: number
}
export interface IssuanceService {
  answer(request: Uint8Array): Promise<Uint8Array>
  readonly counters: Readonly<IssuanceCounters>
}
interface IssuanceInit {
  readonly manifest: Manifest
  /** The tokens of the newest roster; undefined: this federation has none. */
  parameters(): TokenParameters | undefined
  readonly keys: Pick<IssuerKeys, 'signer'>
  readonly enrolments: Pick<Enrolments, 'enrol' | 'grant'>
  readonly clock: Clock
}

export function issuanceService({ manifest, parameters, keys, enrolments, clock }: IssuanceInit): IssuanceService {
  const { syncRequestBytes, syncReplyBytes } = manifest.parameters
  const counters: IssuanceCounters = { enrolments: 0, tokens: 0 }
  const inTurn = turns<undefined>(1, WAITING_MAX)

  /** The kind of token that a request asks for, by the id of its key, and the signer. */
  const signerOf = ({ keyId, messages }: IssuanceRequest): { kind: TokenKind; sign: BlindSigner } => {
    const inForce = parameters()
    const kind = inForce && TOKEN_KINDS.find((item) => isNamed(kindToKey(inForce, item), keyId))
    const key = kind && kindToKey(inForce, kind)
    const sign = key === undefined ? undefined : keys.signer(key)
    if (kind === undefined || sign === undefined)
      throw new FederationError('TOKEN_REFUSED', 'the issuer does not sign with this key: fetch the newest roster')
    // Both have 512 digits.
    if (messages.some((message) => bytesToHex(message) >= key!))
      throw new FederationError('MESSAGE_MALFORMED', 'a message expected a number below the modulus', { at: 0 })
    return { kind, sign }
  }
  const enrol = async ({ code, enrolment }: IssuanceRequest): Promise<EnrolmentOutcome> => {
    if (code === undefined) return 'enrolled'
    const outcome = await enrolments.enrol(code, enrolment)
    if (outcome === 'enrolled') counters.enrolments++
    return outcome
  }
  const answer = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const request = decodeIssuanceRequest(bytes, syncRequestBytes)
    const { enrolment, messages } = request
    assertRecentMinute(request.minute, clock.now())
    const { kind, sign } = signerOf(request)
    const reply = (outcome: EnrolmentOutcome, left: number, signatures: Uint8Array[] = []) =>
      encodeIssuanceReply({ time: clock.now(), outcome, left, signatures }, syncReplyBytes)
    const outcome = await enrol(request)
    if (outcome !== 'enrolled') return reply(outcome, 0)
    const digest = new Uint8Array(createHash('sha256').update(issuanceContent(bytes)).digest())
    const left = await enrolments.grant({ kind, enrolment, count: messages.length, digest })
    if (left === undefined) return reply('not-enrolled', 0)
    if (left === 'spent') {
      const retryAfterMs = DAY_MS - (clock.now() % DAY_MS)
      throw new FederationError('QUOTA_SPENT', 'the tokens of this device for today are given', { retryAfterMs })
    }
    counters.tokens += messages.length
    return reply('enrolled', left, messages.map(sign))
  }
  return { counters, answer: (bytes) => inTurn.run(undefined, () => answer(bytes)) }
}

function isNamed(key: string, keyId: Uint8Array): boolean {
  return equalBytes(modulusToKeyId(hexToBytes(key)), keyId)
}
