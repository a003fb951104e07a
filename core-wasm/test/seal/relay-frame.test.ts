import { createHmac, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  contextToReceive,
  openRequest,
  openSealed,
  type SealKeys,
  sealRequest,
  secretToSealKey,
} from '../../src/seal/index.ts'
import { concatBytes, encodeRefusal, utf8 } from '../../src/wire/index.ts'

const random = (n: number) => new Uint8Array(randomBytes(n))
const keys = (): SealKeys => {
  const secret = random(32)
  return { secret, key: secretToSealKey(secret) }
}
const UNKNOWN = expect.objectContaining({ code: 'SEAL_UNKNOWN' })
const federation = random(32)
const request = random(1024)
const reply = concatBytes(Uint8Array.of(0), random(1023))

describe('a sealed sync', () => {
  it('the central peer reads the request and the device reads the reply, with 49 bytes more in either direction', () => {
    const own = keys()
    const sent = sealRequest(own.key, federation, request, random)
    expect(sent.frame.length).toBe(request.length + 49)
    const opened = openRequest([own], federation, sent.frame)
    expect(opened.request).toEqual(request)
    const answer = opened.sealReply(reply, 0, random)
    expect(answer.length).toBe(reply.length + 49)
    expect(sent.openReply(answer)).toEqual(reply)
  })

  it('the keys of a reply are those of RFC 9458 §4.4, computed with node:crypto', () => {
    const own = keys()
    const { frame } = sealRequest(own.key, federation, request, random)
    const answer = openRequest([own], federation, frame).sealReply(reply, 0, random)
    const [enc, nonce] = [frame.subarray(1, 33), answer.subarray(1, 33)]
    const secret = contextToReceive(
      own.secret,
      own.key,
      enc,
      concatBytes(utf8('geotrace/relay'), federation),
    ).exportSecret(utf8('geotrace/relay reply'), 32)
    const prk = createHmac('sha256', concatBytes(enc, nonce)).update(secret).digest()
    const part = (label: string) => createHmac('sha256', prk).update(`${label}\u0001`, 'latin1').digest()
    // Encrypting the same reply under these keys must give the same bytes.
    return import('node:crypto').then(({ createCipheriv }) => {
      const cipher = createCipheriv('chacha20-poly1305', part('key'), part('nonce').subarray(0, 12), {
        authTagLength: 16,
      })
      const sealed = concatBytes(cipher.update(reply), cipher.final(), cipher.getAuthTag())
      expect(answer.subarray(33)).toEqual(new Uint8Array(sealed))
    })
  })

  it('a repeated request gets answers under fresh keys, and each of them opens', () => {
    const own = keys()
    const sent = sealRequest(own.key, federation, request, random)
    const answers = [1, 2].map(() => openRequest([own], federation, sent.frame).sealReply(reply, 0, random))
    expect(Buffer.compare(answers[0]!, answers[1]!)).not.toBe(0)
    for (const answer of answers) expect(sent.openReply(answer)).toEqual(reply)
  })

  it('two frames of one request have no bytes in common but the version', () => {
    const own = keys()
    const [a, b] = [1, 2].map(() => sealRequest(own.key, federation, request, random).frame)
    const equal = a!.filter((byte, i) => byte === b![i]).length
    expect(equal).toBeLessThan(40)
  })

  it('the key before the newest still opens a frame, and an older key or another federation does not', () => {
    const [first, second, third] = [keys(), keys(), keys()]
    for (const known of [first, second]) {
      const { frame } = sealRequest(known.key, federation, request, random)
      expect(openRequest([second, first], federation, frame).request).toEqual(request)
    }
    const { frame } = sealRequest(first.key, federation, request, random)
    expect(() => openRequest([third, second], federation, frame)).toThrow(UNKNOWN)
    expect(() => openRequest([first], random(32), frame)).toThrow(UNKNOWN)
  })

  it('a cut, changed or swapped frame or answer is refused on both sides', () => {
    const own = keys()
    const one = sealRequest(own.key, federation, request, random)
    const other = sealRequest(own.key, federation, request, random)
    const answer = openRequest([own], federation, one.frame).sealReply(reply, 0, random)
    for (const at of [1, 32, 33, 500, one.frame.length - 1]) {
      const changed = one.frame.slice()
      changed[at]! ^= 1
      expect(() => openRequest([own], federation, changed)).toThrow(UNKNOWN)
      const altered = answer.slice()
      altered[at]! ^= 1
      expect(() => one.openReply(altered)).toThrow(UNKNOWN)
    }
    for (const length of [0, 1, 33, 48, 60]) {
      expect(() => openRequest([own], federation, one.frame.subarray(0, length))).toThrow(
        expect.objectContaining({ code: length < 33 ? 'MESSAGE_MALFORMED' : 'SEAL_UNKNOWN' }),
      )
      expect(() => one.openReply(answer.subarray(0, length))).toThrow(
        expect.objectContaining({ code: length < 33 ? 'MESSAGE_MALFORMED' : 'SEAL_UNKNOWN' }),
      )
    }
    // The answer to another frame, and a request in the place of an answer.
    expect(() => other.openReply(answer)).toThrow(UNKNOWN)
    expect(() => one.openReply(concatBytes(Uint8Array.of(0), one.frame.subarray(1)))).toThrow(UNKNOWN)
    expect(() => openSealed(own.secret, utf8('geotrace/relay'), one.frame.subarray(1))).toThrow(UNKNOWN)
    const version = one.frame.slice()
    version[0] = 2
    expect(() => openRequest([own], federation, version)).toThrow(expect.objectContaining({ code: 'VERSION_UNKNOWN' }))
  })

  it('a refusal under the seal has the size of a reply, and the device reads it as a refusal', () => {
    const own = keys()
    const sent = sealRequest(own.key, federation, request, random)
    const refusal = encodeRefusal({ status: 11, number: 7 })
    const answer = openRequest([own], federation, sent.frame).sealReply(refusal, reply.length, random)
    expect(answer.length).toBe(reply.length + 49)
    expect(sent.openReply(answer)).toEqual(refusal)
  })

  it('a refusal in clear is the refusal of the relay or of a central peer without the key', () => {
    const sent = sealRequest(keys().key, federation, request, random)
    const refuse = (status: number) => () => sent.openReply(encodeRefusal({ status, number: 3 }))
    expect(refuse(20)).toThrow(UNKNOWN)
    expect(refuse(10)).toThrow(expect.objectContaining({ code: 'QUOTA_SPENT', data: { retryAfterMs: 3_000 } }))
  })
})
