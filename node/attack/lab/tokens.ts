/**
 * Tokens as an attacker gets them: one enrolled device, the whole allowance of a day, each token for the node of its choice.
 * PROTOCOL.md §5.12, §7.8. The issuer is the real central peer, which signs at most `perDay` messages.
 */
import { blindToken, modulusToKeyId, toTokenChallenge } from '@geotrace/core-wasm/tokens'
import {
  DAY_MS,
  decodeIssuanceReply,
  encodeIssuanceRequest,
  hexToBytes,
  isFederationError,
  MINUTE_MS,
  parseReportCode,
  tokensPerFrame,
} from '@geotrace/core-wasm/wire'
import { systemRandom } from '../../src/platform/random.ts'
import { type Intruder, replicasOf } from './intruder.ts'
import type { Lab } from './lab.ts'

/** Tokens for the first replicas by rank, until the issuer gives no more. */
export async function enrolledTokens(lab: Lab, intruder: Intruder): Promise<ReadonlyMap<number, Uint8Array>> {
  const { federation, certified, clock } = lab
  const { tokens: parameters, federation: id } = certified.roster
  const { syncRequestBytes, syncReplyBytes } = federation.manifest.parameters
  const modulus = hexToBytes(parameters!.key)
  const replicas = replicasOf(lab)
  const day = Math.floor(clock.now() / DAY_MS)
  const [code] = (await federation.central.issueEnrolmentCodes({ count: 1 })).codes
  const head = { enrolment: systemRandom(32), code: parseReportCode(code!), keyId: modulusToKeyId(modulus) }
  const tokens = new Map<number, Uint8Array>()
  const size = tokensPerFrame(syncRequestBytes, syncReplyBytes)
  for (let batch = size; batch > 0; ) {
    const ranks = replicas
      .map((_, rank) => rank)
      .filter((rank) => !tokens.has(rank))
      .slice(0, batch)
    if (ranks.length === 0) break
    const blinded = ranks.map((rank) =>
      blindToken(modulus, toTokenChallenge('evaluation', id, replicas[rank]!.key, day), systemRandom),
    )
    const messages = blinded.map(({ message }) => message)
    const minute = Math.floor(clock.now() / MINUTE_MS)
    const frame = encodeIssuanceRequest({ ...head, minute, messages }, syncRequestBytes)
    try {
      const { signatures } = decodeIssuanceReply(await intruder.sealed(frame))
      for (const [i, rank] of ranks.entries()) tokens.set(rank, blinded[i]!.finish(signatures[i]!)!)
    } catch (error) {
      if (!isFederationError(error, 'QUOTA_SPENT')) throw error
      // Fewer are left than the frame asked for.
      batch = Math.min(batch, ranks.length) - 1
    }
  }
  return tokens
}
