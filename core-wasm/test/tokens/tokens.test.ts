import { constants, createHash, generateKeyPairSync, privateDecrypt, randomBytes, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  blind,
  blindToken,
  modulusToKeyId,
  modulusToSpki,
  openToken,
  RSA_BYTES,
  toTokenChallenge,
} from '../../src/tokens/index.ts'
import { bytesToHex, concatBytes, hexToBytes, TOKEN_BYTES, utf8 } from '../../src/wire/index.ts'
import vectors from './rfc9578.json' with { type: 'json' }

const random = (length: number) => new Uint8Array(randomBytes(length))
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = privateKey.export({ format: 'jwk' })
const [modulus, exponent] = [bytes64(jwk.n), bytes64(jwk.d)]
/** The issuer of these tests: OpenSSL, which shares no code with ours. */
const sign = (message: Uint8Array) =>
  new Uint8Array(privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, message))
const isSignature = (message: Uint8Array, signature: Uint8Array) =>
  verify('sha384', message, { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }, signature)

function bytes64(text: string | undefined): Uint8Array {
  return new Uint8Array(Buffer.from(text!, 'base64url'))
}
const toNumber = (bytes: Uint8Array) => BigInt(`0x${bytesToHex(bytes)}`)
const toBytes = (value: bigint) => hexToBytes(value.toString(16).padStart(2 * RSA_BYTES, '0'))
function power(base: bigint, exponentBytes: Uint8Array, n: bigint): bigint {
  let result = 1n
  for (const bit of [...exponentBytes].flatMap((byte) => [...byte.toString(2).padStart(8, '0')])) {
    result = (result * result) % n
    if (bit === '1') result = (result * base) % n
  }
  return result
}
/** The draws of a device, in their order. */
function drawing(...draws: readonly Uint8Array[]) {
  const left = [...draws]
  return (length: number) => {
    const next = left.shift()!
    expect(next).toHaveLength(length)
    return next
  }
}

describe('tokens of RFC 9578, type 2', () => {
  it.each(vectors)('a device makes the request and the token of RFC 9578, appendix B.2: %#', (vector) => {
    const key = hexToBytes(vector.key)
    const challenge = new Uint8Array(createHash('sha256').update(hexToBytes(vector.challenge)).digest())
    const draws = drawing(hexToBytes(vector.nonce), hexToBytes(vector.salt), hexToBytes(vector.blind))
    const { message, finish } = blindToken(key, challenge, draws)
    const keyId = bytesToHex(modulusToKeyId(key))
    expect(`0002${keyId.slice(-2)}${bytesToHex(message)}`).toBe(vector.request)
    const token = finish(hexToBytes(vector.response))!
    expect(bytesToHex(token)).toBe(vector.token)
    expect(bytesToHex(openToken(token).keyId)).toBe(keyId)
  })

  it('an issuer that signs with OpenSSL gives a token that OpenSSL verifies', () => {
    const challenge = random(32)
    const { message, finish } = blindToken(modulus, challenge, random)
    const token = finish(sign(message))!
    expect(token).toHaveLength(TOKEN_BYTES)
    const opened = openToken(token)
    expect(opened.challenge).toEqual(challenge)
    expect(isSignature(opened.input, opened.signature)).toBe(true)
    const other = opened.input.slice()
    other[40]! ^= 1
    expect(isSignature(other, opened.signature)).toBe(false)
  })

  it('a device takes nothing but a signature of its own message', () => {
    const [one, two] = [blind(modulus, utf8('one'), random), blind(modulus, utf8('two'), random)]
    expect(one.unblind(sign(two.message))).toBeUndefined()
    expect(one.unblind(new Uint8Array(RSA_BYTES))).toBeUndefined()
    expect(one.unblind(new Uint8Array(RSA_BYTES).fill(255))).toBeUndefined()
    expect(one.unblind(sign(one.message).subarray(1))).toBeUndefined()
    expect(one.unblind(sign(one.message))).toHaveLength(RSA_BYTES)
  })

  it('every blinded message could belong to every token, and shares no bytes with it', () => {
    const n = toNumber(modulus)
    const tokens = [1, 2].map(() => {
      const { message, finish } = blindToken(modulus, random(32), random)
      const answer = sign(message)
      return { message, answer, token: finish(answer)! }
    })
    for (const { message, answer } of tokens) {
      for (const { token } of tokens) {
        const { signature } = openToken(token)
        // The blind r with message = encoded · r^e. One exists for each pair, so the issuer's transcript excludes no token.
        const factor = (toNumber(answer) * power(toNumber(signature), minusOne(), n)) % n
        const encoded = power(toNumber(signature), Uint8Array.of(1, 0, 1), n)
        expect((encoded * power(factor, Uint8Array.of(1, 0, 1), n)) % n).toBe(toNumber(message))
        expect(sign(toBytes((encoded * power(factor, Uint8Array.of(1, 0, 1), n)) % n))).toEqual(answer)
        for (let at = 0; at + 8 <= token.length; at++) {
          const part = bytesToHex(token.subarray(at, at + 8))
          // Only the name of the key is public to both.
          expect(bytesToHex(message).includes(part) || bytesToHex(answer).includes(part)).toBe(false)
        }
      }
    }
    /** The exponent of an inverse: λ(n) − 1 does as well, and e · d − 2 is a multiple of λ(n) less one. */
    function minusOne(): Uint8Array {
      const value = 65_537n * toNumber(exponent) - 2n
      const hex = value.toString(16)
      return hexToBytes(hex.length % 2 === 0 ? hex : `0${hex}`)
    }
  })

  it('a token names one use, one node, one day and one federation', () => {
    const [federation, node] = [random(32), random(32)]
    const challenges = [
      toTokenChallenge('evaluation', federation, node, 20_000),
      toTokenChallenge('relay', federation, node, 20_000),
      toTokenChallenge('evaluation', federation, node, 20_001),
      toTokenChallenge('evaluation', federation, random(32), 20_000),
      toTokenChallenge('evaluation', random(32), node, 20_000),
    ].map(bytesToHex)
    expect(new Set(challenges).size).toBe(5)
    const day = Buffer.alloc(4)
    day.writeUInt32BE(20_000)
    const context = createHash('sha256').update('geotrace/token').update(federation).update(node).update(day).digest()
    const text = concatBytes(hexToBytes('00020008'), utf8('geotrace'), Uint8Array.of(32), context, new Uint8Array(2))
    expect(challenges[0]).toBe(createHash('sha256').update(text).digest('hex'))
  })

  it('OpenSSL reads the key of an issuer as a key for RSASSA-PSS', async () => {
    const { createPublicKey } = await import('node:crypto')
    const key = createPublicKey({ key: Buffer.from(modulusToSpki(modulus)), format: 'der', type: 'spki' })
    expect(key.asymmetricKeyType).toBe('rsa-pss')
    expect(key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048, hashAlgorithm: 'sha384', saltLength: 48 })
  })

  it('a token of another type, or with a byte too many, is malformed', () => {
    const token = random(TOKEN_BYTES)
    token.set([0, 1])
    expect(() => openToken(token)).toThrow(expect.objectContaining({ code: 'MESSAGE_MALFORMED' }))
    token.set([0, 2])
    expect(() => openToken(concatBytes(token, new Uint8Array(1)))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_MALFORMED' }),
    )
    expect(openToken(token).nonce).toEqual(token.slice(2, 34))
  })

  it('equal draws give an equal token, so that a device repeats a request whose answer was lost', () => {
    const draws = [random(32), random(48), toBytes(12_345n)]
    const [one, two] = [1, 2].map(() => blindToken(modulus, new Uint8Array(32), drawing(...draws)))
    expect(one!.message).toEqual(two!.message)
  })

  it('a blind that is no number below the modulus is drawn again', () => {
    const draws = drawing(random(48), new Uint8Array(RSA_BYTES), new Uint8Array(RSA_BYTES).fill(255), toBytes(7n))
    const { message, unblind } = blind(modulus, utf8('message'), draws)
    expect(unblind(sign(message))).toHaveLength(RSA_BYTES)
  })
})
