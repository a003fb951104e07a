/** The work of both roles, with real seals and against plain counting. */
import { describe, expect, it } from 'vitest'
import { secretToSealKey } from '../../src/seal/index.ts'
import {
  counting,
  drawNoise,
  makeItem,
  makeSlip,
  mixing,
  openItem,
  openSlip,
  randomBelow,
} from '../../src/spread/index.ts'
import { bytesToHex, FederationError, noiseOffset } from '../../src/wire/index.ts'
import { seededRandom } from './seeded.ts'

const random = seededRandom(2)
const context = { federation: random(32), period: 20_790 }
const secrets = { mixer: random(32), teller: random(32) }
const keys = { mixer: secretToSealKey(secrets.mixer), teller: secretToSealKey(secrets.teller) }
const slipOf = (bucket: number) => makeSlip(context, keys, bucket, random)
const finish = <T>(steps: Generator<void, T>): T => {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
/** Bytes stand for slips and items: 1, then the bucket. A byte 9 at the front is malformed. */
const plain = {
  slip: (bucket: number, own: number) => Uint8Array.of(1, bucket >> 8, bucket & 255, own >> 8, own & 255),
  open(bytes: Uint8Array): Uint8Array {
    if (bytes[0] === 9) throw new FederationError('SEAL_UNKNOWN', 'test')
    return bytes.subarray(1)
  },
  bucket: (item: Uint8Array) => (item[0]! << 8) | item[1]!,
}
const toPlainMix = (slips: readonly Uint8Array[], seed: number, minimum = 20) => {
  let dummy = 60_000
  const seal = (bucket: number) => plain.slip(bucket, dummy++).subarray(1)
  const below = randomBelow(seededRandom(seed))
  return finish(mixing({ slips, open: plain.open, seal, buckets: 49, epsilon: 1_000, minimum, below }))
}

describe('the mixer and the teller', () => {
  it('the published counts are the true ones and the two noises that were drawn', () => {
    const buckets = Array.from({ length: 300 }, (_, i) => (i * i) % 50)
    const slips = buckets.map((bucket, i) => plain.slip(bucket, i))
    const { items, good } = toPlainMix(slips, 5)
    expect(good).toBe(300)
    const below = randomBelow(seededRandom(6))
    const { counts, refused } = finish(counting({ items, open: plain.bucket, buckets: 49, epsilon: 1_000, below }))
    expect(refused).toBe(0)
    const again = { mixer: randomBelow(seededRandom(5)), teller: randomBelow(seededRandom(6)) }
    const expected = Array.from({ length: 50 }, (_, b) => buckets.filter((bucket) => bucket === b).length).map(
      (exact) => exact + Math.max(-14, drawNoise(again.mixer, 1_000)) + drawNoise(again.teller, 1_000),
    )
    expect(counts).toEqual(expected)
  })

  it('the output of the mixer holds every item once, in an order that the input does not give', () => {
    const slips = Array.from({ length: 200 }, (_, i) => plain.slip(i % 50, i))
    const { items } = toPlainMix(slips, 7)
    const own = new Set(slips.map((slip) => bytesToHex(slip.subarray(1))))
    const places = items.flatMap((item, at) => (own.has(bytesToHex(item)) ? [at] : []))
    expect(places.length).toBe(200)
    const order = places.map((at) => slips.findIndex((slip) => bytesToHex(slip.subarray(1)) === bytesToHex(items[at]!)))
    expect(order).not.toEqual([...order].sort((a, b) => a - b))
    expect(order.filter((from, i) => from === i).length).toBeLessThan(12)
    expect(items.length).toBeGreaterThan(200 + 50 * (noiseOffset(1_000) - 3))
  })

  it('malformed and repeated slips are dropped, and too few good ones are not mixed', () => {
    const good = Array.from({ length: 20 }, (_, i) => plain.slip(3, i))
    const bad = [good[0]!.slice(), good[0]!.slice(), Uint8Array.of(9, 9), Uint8Array.of(9, 8)]
    expect(toPlainMix([...good, ...bad], 8)).toMatchObject({ good: 20, repeated: 2, refused: 2 })
    const few = expect.objectContaining({ code: 'TOO_FEW', data: { count: 19 } })
    expect(() => toPlainMix([...good.slice(1), ...bad.slice(2)], 8)).toThrow(few)
    // A batch of copies and rubbish does not reach the minimum either.
    expect(() =>
      toPlainMix([...good.slice(1), ...good.slice(1).map((slip) => slip.slice()), ...bad.slice(2)], 8),
    ).toThrow(few)
    expect(() => toPlainMix([], 8, 1)).toThrow(expect.objectContaining({ code: 'TOO_FEW', data: { count: 0 } }))
  })

  it('with real seals liars change no count but their own', () => {
    const buckets = 7
    const epsilon = 4_000
    const slips = [...Array(40).keys()].map((i) => slipOf(i % 8))
    const stranger = makeSlip({ ...context, period: 1 }, keys, 5, random)
    const batch = [...slips, slips[0]!.slice(), stranger, random(104), slipOf(8), slipOf(70_000)]
    const mixed = finish(
      mixing({
        slips: batch,
        open: (slip) => openSlip(context, secrets.mixer, slip),
        seal: (bucket) => makeItem(context, keys.teller, bucket, random),
        buckets,
        epsilon,
        minimum: 20,
        below: randomBelow(seededRandom(9)),
      }),
    )
    // Two of the good ones name buckets outside, which only the teller sees.
    expect(mixed).toMatchObject({ good: 42, repeated: 1, refused: 2 })
    const flipped = mixed.items[0]!.slice()
    flipped[40]! ^= 1
    const copied = mixed.items[1]!.slice()
    const counted = finish(
      counting({
        items: [...mixed.items, flipped, copied, copied],
        open: (item) => openItem(context, secrets.teller, item),
        buckets,
        epsilon,
        below: randomBelow(seededRandom(10)),
      }),
    )
    expect(counted).toMatchObject({ repeated: 2, refused: 3 })
    const noise = [9, 10].map((seed) => randomBelow(seededRandom(seed)))
    const offset = noiseOffset(epsilon)
    const expected = [...Array(8).keys()].map(
      () => 5 + Math.max(-offset, drawNoise(noise[0]!, epsilon)) + drawNoise(noise[1]!, epsilon),
    )
    expect(counted.counts).toEqual(expected)
  })
})
