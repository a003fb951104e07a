import { randomBytes } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'
import { refusesCutAndLong } from '../hostile.ts'

const central = testSigner('peer/authority')
const random = (length: number) => new Uint8Array(randomBytes(length))
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

describe('a pin', () => {
  const read = (encoded: Uint8Array): wire.Pin => {
    const reader = wire.byteReader(encoded)
    const pin = wire.readPin(reader)
    reader.end()
    return pin
  }

  it('a pin decodes from its 100 bytes unchanged and is refused at every cut', () => {
    const pins = fc.record({ epoch: fc.nat({ max: 0xffffffff }), roster: bytes(32), signature: bytes(64) })
    fc.assert(
      fc.property(pins, (pin) => {
        const encoded = wire.writePin(wire.byteWriter(wire.PIN_BYTES), pin).finish()
        expect(encoded).toHaveLength(100)
        expect(read(encoded)).toEqual(pin)
      }),
    )
    const [sample] = fc.sample(pins, 1)
    refusesCutAndLong(wire.writePin(wire.byteWriter(wire.PIN_BYTES), sample!).finish(), read)
  })

  it('the signature of a pin covers the federation, the epoch and the roster under its own domain', () => {
    const [federation, roster] = [random(32), random(32)]
    const pin = wire.signPin(central, federation, 7, roster)
    expect(wire.isValidPin(pin, federation, central.key)).toBe(true)
    expect(wire.isValidPin(pin, federation, testSigner('peer/ash').key)).toBe(false)
    expect(wire.isValidPin(pin, random(32), central.key)).toBe(false)
    for (const change of [{ epoch: 8 }, { roster: random(32) }, { signature: random(64) }]) {
      expect(wire.isValidPin({ ...pin, ...change }, federation, central.key)).toBe(false)
    }
    const domain = Buffer.from('geotrace/pin')
    const content = Buffer.concat([federation, Buffer.from([0, 0, 0, 7]), roster])
    const signed = Buffer.concat([Buffer.from([domain.length]), domain, Buffer.from([0, 0, 0, 68]), content])
    expect(ed25519.verify(pin.signature, signed, central.key)).toBe(true)
  })
})
