/** Calls that every implementation must refuse: a wrong type with TypeError, a wrong value with RangeError. */
import type { Implementation } from './reference.ts'

type Refusal = readonly [what: string, call: (core: Implementation) => unknown]

const CELL = 0x8c194ad14c255ffn
const BAD_CELLS: readonly bigint[] = [
  0n,
  -1n,
  CELL + (1n << 64n), // would wrap to a valid cell
  CELL | (1n << 63n),
  CELL & ~(4n << 52n), // resolution 8
  CELL & ~1n, // a digit below resolution 12
  (CELL & ~(127n << 45n)) | (122n << 45n), // no such base cell
  CELL | (7n << 9n), // digit 7
  (CELL & ~(15n << 59n)) | (2n << 59n), // an edge
  CELL | (1n << 56n), // a cell with a vertex number
  CELL + (3n << 59n) + (6n << 56n), // a seventh corner
  0x25c08000000001ffn, // a pentagon's sixth corner
  0x8c08000000001ffn | (1n << 42n), // a pentagon's missing child
]
const BAD_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

export function refusals(): Refusal[] {
  const secret = new Uint8Array(32)
  const points = (core: Implementation) => core.fixesToRiskPoints([{ lat: 1, lng: 2, at: 3 }], 'plain')
  const wrong = <T>(value: unknown) => value as T
  return [
    ...[...BAD_NUMBERS, 90.0000001, -90.0000001].map(
      (lat): Refusal => [`lat ${lat}`, (core) => core.fixToCells(lat, 0)],
    ),
    ...BAD_NUMBERS.map((lng): Refusal => [`lng ${lng}`, (core) => core.fixToCells(0, lng)]),
    ['one bad position of two', (core) => core.latLngsToCells(Float64Array.of(1, 91), Float64Array.of(2, 2))],
    ['positions that are an array', (core) => core.latLngsToCells(wrong([1]), wrong([2]))],
    ['more lats than lngs', (core) => core.latLngsToCells(new Float64Array(2), new Float64Array(1))],
    ['a lat that is a text', (core) => core.fixToCells(wrong('1'), 0)],
    ...[...BAD_NUMBERS, -1, 0xffffffff * 300_000].map((at): Refusal => [`time ${at}`, (core) => core.timeToBlocks(at)]),
    ['a time that is a date', (core) => core.timeToBlocks(wrong(new Date(0)))],
    [
      'one bad fix of two',
      (core) =>
        core.fixesToRiskPoints(
          [
            { lat: 1, lng: 2, at: 3 },
            { lat: 91, lng: 2, at: 3 },
          ],
          'plain',
        ),
    ],
    ['a bad time of a fix', (core) => core.fixesToRiskPoints([{ lat: 1, lng: 2, at: -3 }], 'threshold')],
    ...BAD_CELLS.map((cell): Refusal => [`region of ${cell.toString(16)}`, (core) => core.cellToRegion(cell)]),
    ['a cell that is a number', (core) => core.cellToRegion(wrong(5))],
    ...[-1, 0.5, 288_122, Number.NaN].map(
      (region): Refusal => [`region ${region}`, (core) => core.regionToShard(region, 5)],
    ),
    ...[0, -1, 2.5, Number.NaN].map((shards): Refusal => [`${shards} shards`, (core) => core.regionToShard(5, shards)]),
    ...[0, 31, 33].map(
      (length): Refusal => [`secret of ${length}`, (core) => core.riskHash(new Uint8Array(length), CELL, 5, 1)],
    ),
    ['a secret that is an array', (core) => core.riskHash(wrong(Array(32).fill(0)), CELL, 5, 1)],
    ...[-1n, 1n << 64n].map((cell): Refusal => [`hash of cell ${cell}`, (core) => core.riskHash(secret, cell, 5, 1)]),
    ...[0, 6, 160].map((size): Refusal => [`size ${size}`, (core) => core.riskHash(secret, CELL, size, 1)]),
    ...[-1, 0.5, 2 ** 32].map((n): Refusal => [`block ${n}`, (core) => core.riskHash(secret, CELL, 5, n)]),
    ['too few secrets', (core) => core.hashRiskPoints(points(core), new Uint8Array(32))],
    ['secrets that are an array', (core) => core.hashRiskPoints(points(core), wrong([]))],
    ...[-1, 1.5, 16_385, Number.NaN].map(
      (length): Refusal => [`length ${length}`, (core) => core.sha256Batch(new Uint8Array(0), length)],
    ),
    ['a broken batch', (core) => core.sha256Batch(new Uint8Array(33), 32)],
    ['an empty length with bytes', (core) => core.sha256Batch(new Uint8Array(1), 0)],
    ['messages that are a text', (core) => core.sha256Batch(wrong('abc'), 3)],
    ['a broken keyed batch', (core) => core.hmacBatch(secret, new Uint8Array(33), 32)],
    ['a sum of a text', (core) => core.crc32(wrong('abc'))],
    ...[-1, 0.5, 2 ** 32, Number.NaN].map(
      (crc): Refusal => [`a sum after ${crc}`, (core) => core.crc32(new Uint8Array(1), crc)],
    ),
    ...[0, 11, 12.5, 257, Number.NaN].map(
      (width): Refusal => [`rows of ${width}`, (core) => core.sortRows(new Uint8Array(0), width)],
    ),
    ['a broken row', (core) => core.sortRows(new Uint8Array(33), 16)],
    ['rows that are a text', (core) => core.sortRows(wrong('abc'), 12)],
    ['a key that is a text', (core) => core.hmacBatch(wrong('key'), new Uint8Array(32), 32)],
    ['a key longer than the area', (core) => core.hmacBatch(new Uint8Array(16_385), new Uint8Array(32), 32)],
  ]
}
