/**
 * The proof by which a control server shows that it wrote admin.json. node/README.md, "Operating". After a crash, another
 * local user can listen on the port that admin.json still names. A client asks for the proof before it sends its token and
 * its request.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** The header of the client's random challenge, in hex. */
export const CHALLENGE_HEADER = 'geotrace-challenge'
/** The header of the account whose token the proof is about; without it the proof is about the token of admin.json. */
export const ACCOUNT_HEADER = 'geotrace-account'
const CHALLENGE = /^[0-9a-f]{64}$/

/** HMAC-SHA256 of the challenge under the token, in hex; undefined for text that is no challenge. */
export function challengeToProof(token: string, challenge: string): string | undefined {
  if (!CHALLENGE.test(challenge)) return undefined
  return createHmac('sha256', token).update(`geotrace/control ${challenge}`).digest('hex')
}

export function answersChallenge(token: string, challenge: string, proof: unknown): boolean {
  const [given, wanted] = [Buffer.from(String(proof)), Buffer.from(challengeToProof(token, challenge) ?? '')]
  return wanted.length > 0 && given.length === wanted.length && timingSafeEqual(given, wanted)
}
