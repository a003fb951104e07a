/** Slips against hpke-js, which shares no code with them. */
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305'
import { CipherSuite, HkdfSha256 } from '@hpke/core'
import { DhkemX25519HkdfSha256 } from '@hpke/dhkem-x25519'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sealTo, secretToSealKey } from '../../src/seal/index.ts'
import { makeItem, makeSlip, openItem, openSlip, type SpreadContext } from '../../src/spread/index.ts'
import { concatBytes, SPREAD_ITEM_BYTES, SPREAD_SLIP_BYTES, utf8 } from '../../src/wire/index.ts'
import { seededRandom } from './seeded.ts'

const random = seededRandom(1)
const federation = random(32)
const context: SpreadContext = { federation, period: 20_790 }
const [mixer, teller] = [random(32), random(32)]
const keys = { mixer: secretToSealKey(mixer), teller: secretToSealKey(teller) }
const UNKNOWN = expect.objectContaining({ code: 'SEAL_UNKNOWN' })
const MALFORMED = expect.objectContaining({ code: 'MESSAGE_MALFORMED' })
const info = (role: number) => concatBytes(utf8('geotrace/spread'), federation, Uint8Array.of(0, 0, 81, 54, role))
const bucketOf = (slip: Uint8Array): number => openItem(context, teller, openSlip(context, mixer, slip))

describe('a slip', () => {
  it('a slip of any bucket has 104 bytes, its item has 56, and the two roles open it one after the other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (bucket) => {
        const slip = makeSlip(context, keys, bucket, random)
        expect([slip.length, SPREAD_SLIP_BYTES]).toEqual([104, 104])
        expect([openSlip(context, mixer, slip).length, SPREAD_ITEM_BYTES]).toEqual([56, 56])
        expect(bucketOf(slip)).toBe(bucket)
      }),
      { numRuns: 20 },
    )
  })

  it('the implementation hpke-js opens both layers of a slip', async () => {
    const suite = new CipherSuite({
      kem: new DhkemX25519HkdfSha256(),
      kdf: new HkdfSha256(),
      aead: new Chacha20Poly1305(),
    })
    const buffer = (bytes: Uint8Array) => bytes.slice().buffer as ArrayBuffer
    const open = async (secret: Uint8Array, role: number, sealed: Uint8Array) => {
      const recipientKey = await suite.kem.importKey('raw', buffer(secret), false)
      const enc = buffer(sealed.subarray(0, 32))
      return new Uint8Array(
        await suite.open({ recipientKey, enc, info: buffer(info(role)) }, buffer(sealed.subarray(32))),
      )
    }
    const item = await open(mixer, 0, makeSlip(context, keys, 0x01020304, random))
    expect([...(await open(teller, 1, item))]).toEqual([1, 1, 2, 3, 4, 0, 0, 0])
  })

  it('a slip of another period, federation or key opens for nobody, and an item is no slip', () => {
    const slip = makeSlip(context, keys, 7, random)
    const item = openSlip(context, mixer, slip)
    for (const other of [
      { ...context, period: 20_797 },
      { ...context, federation: random(32) },
    ]) {
      expect(() => openSlip(other, mixer, slip)).toThrow(UNKNOWN)
      expect(() => openItem(other, teller, item)).toThrow(UNKNOWN)
    }
    expect(() => openSlip(context, teller, slip)).toThrow(UNKNOWN)
    expect(() => openSlip(context, teller, item)).toThrow(UNKNOWN)
    expect(() => openItem(context, mixer, slip)).toThrow(UNKNOWN)
    expect(() => openSlip(context, mixer, random(104))).toThrow(UNKNOWN)
    expect(() => openSlip(context, mixer, new Uint8Array(104))).toThrow(UNKNOWN)
    expect(() => openSlip(context, mixer, random(20))).toThrow(UNKNOWN)
  })

  it('no changed bit of an item opens', () => {
    const item = makeItem(context, keys.teller, 5, random)
    for (let bit = 0; bit < 8 * item.length; bit++) {
      const bent = item.slice()
      bent[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => openItem(context, teller, bent)).toThrow(UNKNOWN)
    }
  })

  it('bytes that a liar seals in place of an item are refused by their form', () => {
    const item = (plain: number[]) => sealTo(keys.teller, info(1), Uint8Array.from(plain), random)
    expect(openItem(context, teller, item([1, 0, 0, 0, 9, 0, 0, 0]))).toBe(9)
    for (const plain of [
      [2, 0, 0, 0, 9, 0, 0, 0],
      [1, 0, 0, 0, 9, 0, 0, 1],
      [1, 0, 0, 0, 9, 0, 0],
      [1, 0, 0, 0, 9, 0, 0, 0, 0],
    ]) {
      expect(() => openItem(context, teller, item(plain))).toThrow(MALFORMED)
    }
    const odd = sealTo(keys.mixer, info(0), random(57), random)
    expect(() => openSlip(context, mixer, odd)).toThrow(MALFORMED)
  })
})
