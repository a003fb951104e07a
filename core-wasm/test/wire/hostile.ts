/** Hostile inputs that every decoder must refuse with a typed error: truncations, a trailing byte, random bytes. */
import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { FederationError, isFederationError } from '../../src/wire/index.ts'

/** Checks that `decode` refuses every proper prefix of `bytes` and one byte too many. */
export function refusesCutAndLong(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown): void {
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decode(bytes.slice(0, length)), `cut at ${length}`).toThrow(FederationError)
  }
  expect(() => decode(Uint8Array.from([...bytes, 0])), 'one byte more').toThrow(FederationError)
}

/** Checks that random bytes and mutations of a valid frame decode or throw a FederationError. */
export function neverThrowsAnythingElse(
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  rounds = 2000,
): void {
  for (let i = 0; i < rounds; i++) {
    const frame = i % 2 ? new Uint8Array(randomBytes(1 + (i % 700))) : bytes.slice()
    if (i % 2 === 0) {
      const [at, value] = [randomBytes(4).readUInt32BE() % frame.length, randomBytes(1)[0]!]
      frame[at] = value
    }
    try {
      decode(frame)
    } catch (error) {
      expect(isFederationError(error), `${error}`).toBe(true)
    }
  }
}
