/**
 * Issues tokens to enrolled devices, in sealed frames that look like syncs. PROTOCOL.md §5.12, §7.8. A lost answer is given
 * again: the signature of a message is always the same. Throws MESSAGE_MALFORMED, CLOCK_SKEWED, TOKEN_REFUSED (no tokens
 * here, or another key), QUOTA_SPENT (the tokens of the day are given), BUSY.
 */
import { createHash } from 'node:crypto'
import { type Clock, turns } from '@geotrace/core-wasm'
import { modulusToKeyId } from '@geotrace/core-wasm/tokens'
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

  const signerOf = ({ keyId, messages }: IssuanceRequest): BlindSigner => {
    const inForce = parameters()
    const isNamed = inForce !== undefined && equalBytes(modulusToKeyId(hexToBytes(inForce.key)), keyId)
    const sign = isNamed ? keys.signer(inForce.key) : undefined
    if (sign === undefined)
      throw new FederationError('TOKEN_REFUSED', 'the issuer does not sign with this key: fetch the newest roster')
    // Both have 512 digits.
    if (messages.some((message) => bytesToHex(message) >= inForce!.key))
      throw new FederationError('MESSAGE_MALFORMED', 'a message expected a number below the modulus', { at: 0 })
    return sign
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
    const sign = signerOf(request)
    const reply = (outcome: EnrolmentOutcome, left: number, signatures: Uint8Array[] = []) =>
      encodeIssuanceReply({ time: clock.now(), outcome, left, signatures }, syncReplyBytes)
    const outcome = await enrol(request)
    if (outcome !== 'enrolled') return reply(outcome, 0)
    const digest = new Uint8Array(createHash('sha256').update(issuanceContent(bytes)).digest())
    const left = await enrolments.grant({ enrolment, count: messages.length, digest })
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
