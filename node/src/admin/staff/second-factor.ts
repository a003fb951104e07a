/**
 * The second factor of an account: a secret in the authenticator app of its owner. node/CENTRAL.md "Second factor". A code
 * works once. After ten wrong codes in a row the factor is locked, and only an admin can remove it. Pure.
 */
import type { Random } from '@geotrace/core-wasm'
import { bytesToHex, FederationError, hexToBytes } from '@geotrace/core-wasm/wire'
import * as z from 'zod/mini'
import { codeToStep, TOTP_SECRET_BYTES } from './totp.ts'

/** A guess is right with three in a million, so ten guesses are right with three in a hundred thousand. */
const WRONG_MAX = 10

export const factorSchema = z.strictObject({
  /** In hex. */
  secret: z.string().check(z.regex(/^[0-9a-f]{40}$/)),
  /** The owner has shown a code. Until then the account does not ask for codes. */
  isSet: z.boolean(),
  /** The step of the newest code. No code of this step or an earlier one works again. */
  step: z.int(),
  /** Wrong codes since the last right one. */
  wrong: z.int(),
})
type SecondFactor = z.infer<typeof factorSchema>
export type FactorState = 'set' | 'locked'

export function newFactor(random: Random): SecondFactor {
  return { secret: bytesToHex(random(TOTP_SECRET_BYTES)), isSet: false, step: 0, wrong: 0 }
}

export function factorSecret({ secret }: SecondFactor): Uint8Array {
  return hexToBytes(secret)
}

export function factorState(factor: SecondFactor | undefined): FactorState | undefined {
  if (!factor?.isSet) return undefined
  return factor.wrong >= WRONG_MAX ? 'locked' : 'set'
}

/** The factor after a code, which was right or not. Throws FORBIDDEN for a locked one. */
export function afterCode(
  factor: SecondFactor,
  code: string,
  nowMs: number,
): { factor: SecondFactor; isRight: boolean } {
  if (factor.wrong >= WRONG_MAX)
    throw new FederationError('FORBIDDEN', `the second factor is locked after ${WRONG_MAX} wrong codes; ask an admin`)
  const step = codeToStep(factorSecret(factor), code, nowMs, factor.step)
  return step === undefined
    ? { factor: { ...factor, wrong: factor.wrong + 1 }, isRight: false }
    : { factor: { ...factor, isSet: true, step, wrong: 0 }, isRight: true }
}
