import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'

const central = testSigner('peer/authority')
const federation = new Uint8Array(32).fill(9)
const [red, blue, green] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const pin = (epoch: number, roster: Uint8Array) => wire.signPin(central, federation, epoch, roster)
const noonMs = 20_000 * wire.DAY_MS
const now = wire.timeToEpoch(noonMs)
const pins = () => new wire.EpochPins(federation, central.key)

describe('the pins of epochs', () => {
  it('a pin is new once and names its roster from then on', () => {
    const known = pins()
    expect(known.rostersOf(now)).toEqual([])
    expect(known.take(pin(now, red), noonMs)).toBe('new')
    expect(known.take(pin(now, red), noonMs)).toBe('known')
    expect(known.of(now)).toEqual(pin(now, red))
    expect(known.rostersOf(now)).toEqual([red])
  })

  it('a pin by another peer, for another federation or with an altered roster is invalid', () => {
    const known = pins()
    expect(known.take(wire.signPin(testSigner('peer/ash'), federation, now, red), noonMs)).toBe('invalid')
    expect(known.take(wire.signPin(central, red, now, red), noonMs)).toBe('invalid')
    expect(known.take({ ...pin(now, red), roster: blue }, noonMs)).toBe('invalid')
    expect(known.rostersOf(now)).toEqual([])
    known.take(pin(now, red), noonMs)
    expect(known.take({ ...pin(now, red), roster: blue }, noonMs)).toBe('invalid')
    expect(known.rostersOf(now)).toEqual([red])
  })

  it('the second pin of an epoch gives evidence once, and the first pin stays', () => {
    const known = pins()
    known.take(pin(now, red), noonMs)
    const fate = known.take(pin(now, blue), noonMs)
    expect(fate).toMatchObject({ kind: 'pins', key: central.key, epoch: now })
    expect(wire.isProof(fate as wire.Evidence, () => undefined)).toBe(true)
    expect(known.take(pin(now, blue), noonMs)).toBe('known')
    expect(known.take(pin(now, green), noonMs)).toBe('known')
    expect(known.of(now)).toEqual(pin(now, red))
    expect(known.rostersOf(now)).toEqual([red, blue])
  })

  it('pins are kept for the epochs that take deposits, whatever comes, and are listed in order', () => {
    const offset = fc.integer({ min: -60, max: 60 })
    fc.assert(
      fc.property(fc.array(fc.tuple(offset, fc.constantFrom(red, blue)), { maxLength: 60 }), (offers) => {
        const known = pins()
        const model = new Map<number, Uint8Array>()
        for (const [after, roster] of offers) {
          const epoch = now + after
          const isOpen =
            (epoch + 1) * wire.EPOCH_MS >= noonMs - 2_890 * wire.MINUTE_MS &&
            epoch * wire.EPOCH_MS <= noonMs + 92 * wire.MINUTE_MS
          expect(known.take(pin(epoch, roster), noonMs) === 'stray').toBe(!isOpen)
          if (isOpen && !model.has(epoch)) model.set(epoch, roster)
        }
        const ours = [...model].sort(([a], [b]) => a - b)
        expect(known.from(0).map(({ epoch, roster }) => [epoch, roster])).toEqual(ours)
        expect(known.from(now).map(({ epoch }) => epoch)).toEqual(ours.map(([epoch]) => epoch).filter((e) => e >= now))
        expect(ours.length).toBeLessThanOrEqual(39)
      }),
      { numRuns: 20 },
    )
  })

  it('old pins are dropped when time passes', () => {
    const known = pins()
    known.take(pin(now, red), noonMs)
    known.take(pin(now, blue), noonMs)
    const later = now + 50
    known.take(pin(later, red), later * wire.EPOCH_MS)
    expect(known.from(0).map(({ epoch }) => epoch)).toEqual([later])
    expect(known.rostersOf(now)).toEqual([])
  })
})
