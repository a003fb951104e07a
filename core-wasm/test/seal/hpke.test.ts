import { randomBytes } from 'node:crypto'
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305'
import { CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  contextToReceive,
  contextToSend,
  openSealed,
  SEAL_BYTES,
  sealTo,
  secretToSealKey,
} from '../../src/seal/index.ts'
import { bytesToHex, concatBytes, hexToBytes, utf8 } from '../../src/wire/index.ts'

const random = (n: number) => new Uint8Array(randomBytes(n))
const UNKNOWN = expect.objectContaining({ code: 'SEAL_UNKNOWN' })

/** RFC 9180, A.2.1: the base setup of this suite. */
const RFC = {
  info: '4f6465206f6e2061204772656369616e2055726e',
  skEm: 'f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600',
  pkEm: '1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a',
  skRm: '8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb',
  pkRm: '4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a',
  plain: '4265617574792069732074727574682c20747275746820626561757479',
  aad: '436f756e742d30',
  sealed: '1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28',
  exports: {
    '': '4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e',
    '00': '8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69',
    '54657374436f6e74657874': '5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53',
  },
}

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() })
/** The bytes as a buffer of their own, as the oracle wants them. */
const buffer = (bytes: Uint8Array) => bytes.slice().buffer as ArrayBuffer

describe('sealing to a public key', () => {
  it('the vectors of RFC 9180 A.2.1 hold in both directions, with their exported secrets', () => {
    const sender = contextToSend(hexToBytes(RFC.pkRm), hexToBytes(RFC.info), () => hexToBytes(RFC.skEm))
    expect(bytesToHex(sender.enc)).toBe(RFC.pkEm)
    expect(bytesToHex(secretToSealKey(hexToBytes(RFC.skRm)))).toBe(RFC.pkRm)
    expect(bytesToHex(sender.seal(hexToBytes(RFC.plain), hexToBytes(RFC.aad)))).toBe(RFC.sealed)
    const receiver = contextToReceive(
      hexToBytes(RFC.skRm),
      hexToBytes(RFC.pkRm),
      hexToBytes(RFC.pkEm),
      hexToBytes(RFC.info),
    )
    expect(bytesToHex(receiver.open(hexToBytes(RFC.sealed), hexToBytes(RFC.aad)))).toBe(RFC.plain)
    for (const [context, secret] of Object.entries(RFC.exports)) {
      for (const side of [sender, receiver]) {
        expect(bytesToHex(side.exportSecret(hexToBytes(context), 32))).toBe(secret)
      }
    }
  })

  it('hpke-js opens what we seal, and we open what hpke-js seals, with equal exported secrets', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (plain, info, aad) => {
        const secret = random(32)
        const key = secretToSealKey(secret)
        const recipientKey = await suite.kem.importKey('raw', buffer(secret), false)
        const recipientPublicKey = await suite.kem.importKey('raw', buffer(key), true)
        const ours = contextToSend(key, info, random)
        const theirs = await suite.createRecipientContext({ recipientKey, enc: buffer(ours.enc), info: buffer(info) })
        expect(new Uint8Array(await theirs.open(buffer(ours.seal(plain, aad)), buffer(aad)))).toEqual(plain)
        expect(new Uint8Array(await theirs.export(buffer(aad), 32))).toEqual(ours.exportSecret(aad, 32))
        const sender = await suite.createSenderContext({ recipientPublicKey, info: buffer(info) })
        const sealed = new Uint8Array(await sender.seal(buffer(plain)))
        expect(openSealed(secret, info, concatBytes(new Uint8Array(sender.enc), sealed))).toEqual(plain)
      }),
      { numRuns: 20 },
    )
  })

  it('a message opens only whole, unchanged, under its own key and info', () => {
    const [secret, info] = [random(32), utf8('test')]
    const plain = random(40)
    const message = sealTo(secretToSealKey(secret), info, plain, random)
    expect(message.length).toBe(plain.length + SEAL_BYTES)
    expect(openSealed(secret, info, message)).toEqual(plain)
    for (let bit = 0; bit < 8 * message.length; bit++) {
      const changed = message.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => openSealed(secret, info, changed), `bit ${bit}`).toThrow(UNKNOWN)
    }
    for (let length = 0; length < message.length; length++) {
      expect(() => openSealed(secret, info, message.subarray(0, length))).toThrow(UNKNOWN)
    }
    expect(() => openSealed(random(32), info, message)).toThrow(UNKNOWN)
    expect(() => openSealed(secret, utf8('other'), message)).toThrow(UNKNOWN)
  })

  it('keys of small order are refused on both sides', () => {
    const small = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    ].map(hexToBytes)
    const message = sealTo(secretToSealKey(random(32)), utf8('x'), random(8), random)
    for (const key of small) {
      expect(() => sealTo(key, utf8('x'), random(8), random)).toThrow(UNKNOWN)
      message.set(key)
      expect(() => openSealed(random(32), utf8('x'), message)).toThrow(UNKNOWN)
    }
  })
})
