/**
 * The conformance suite: compares an implementation of the core with an oracle (the reference, or an implementation that
 * passed). PROTOCOL.md §3. A case is a title and a function that lists mismatches. The suite needs no test runner.
 */
import type { RiskPoints, Salting } from '../domain.ts'
import type { Implementation } from './reference.ts'
import { refusals } from './refusals.ts'
import { anywhere, randomBytes, seeded, walk } from './samples.ts'

interface Mismatch {
  /** The call and what it was given. */
  readonly input: string
  readonly want: string
  readonly got: string
}

interface ConformanceCase {
  /** A whole sentence about the implementation. */
  readonly title: string
  run(subject: Implementation): Mismatch[]
}

/** The part of a test runner that `registerConformance` needs: vitest, mocha and node:test all have it. */
interface Runner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => void | Promise<void>): void
}

const SALTINGS: readonly Salting[] = ['plain', 'threshold']
const POSITIONS = 400
/** Message lengths 0 to 130 bytes: more than two blocks of SHA-256. */
const LENGTH_MAX = 130
/** Below, at and above the number of lanes of any build, and around the sizes of its areas. */
const COUNTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257]
const POINT_COUNTS = [...COUNTS, 1023, 1024, 1025]

/** A hash alone, a hash with one byte, with one and two words, and a row that takes several words to move. */
const WIDTHS = [12, 13, 16, 20, 45]
const BLOCK_TIMES = [
  ...[0, 1, 299_999, 300_000, 4_799_999, 4_800_000, 1_760_000_000_000, 1_760_000_000_000.9],
  0xffffffff * 300_000 - 1,
]

/** All mismatches; a conforming implementation has none. */
export function conformance(subject: Implementation, oracle: Implementation): Mismatch[] {
  return conformanceCases(oracle).flatMap((each) => each.run(subject))
}

/** Registers each case as a test, which throws with its first mismatches. */
export function registerConformance(
  name: string,
  subject: Implementation,
  oracle: Implementation,
  { describe, it }: Runner,
): void {
  describe(name, () => {
    for (const { title, run } of conformanceCases(oracle)) {
      it(title, () => {
        const found = run(subject)
        if (found.length > 0)
          throw new Error(`${found.length} mismatches: ${JSON.stringify(found.slice(0, 3), null, 2)}`)
      })
    }
  })
}

export function conformanceCases(oracle: Implementation): ConformanceCase[] {
  return [...PLACE_CASES, ...POINT_CASES, ...BATCH_CASES, REFUSAL_CASE].map(({ title, check }) => ({
    title,
    run: (subject) => check((input, call) => compare(input, call, subject, oracle), oracle),
  }))
}

/** Calls the implementation and the oracle alike and reports a difference. */
type Compare = (input: string, call: (core: Implementation) => unknown) => Mismatch[]

interface Case {
  readonly title: string
  check(compare: Compare, oracle: Implementation): Mismatch[]
}

const PLACE_CASES: readonly Case[] = [
  {
    title: 'the core finds the cells of positions all over the earth',
    check: (same) => positions().flatMap((at) => same(`fixToCells ${at}`, (core) => core.fixToCells(...at))),
  },
  {
    title: 'the core finds layer A of any number of positions at once',
    check: (same) =>
      COUNTS.flatMap((count) => {
        const at = positions().slice(0, count)
        const [lats, lngs] = [0, 1].map((axis) => Float64Array.from(at, (degrees) => degrees[axis]!))
        return same(`latLngsToCells ${count}`, (core) => core.latLngsToCells(lats!, lngs!))
      }),
  },
  {
    title: 'the core finds the region of every cell and corner',
    check: (same, oracle) =>
      positions()
        .flatMap((at) => oracle.fixToCells(...at))
        .flatMap((cell) => same(`cellToRegion ${cell}`, (core) => core.cellToRegion(cell))),
  },
  {
    title: 'the core gives a region to a shard',
    check: (same) =>
      [1, 2, 5, 64, 1_000_003].flatMap((shards) =>
        [0, 1, 138_667, 288_121].flatMap((region) =>
          same(`regionToShard ${region} ${shards}`, (core) => core.regionToShard(region, shards)),
        ),
      ),
  },
  {
    title: 'the core finds the ten time blocks of a time, at both sides of every edge',
    check: (same) => BLOCK_TIMES.flatMap((at) => same(`timeToBlocks ${at}`, (core) => core.timeToBlocks(at))),
  },
]

const POINT_CASES: readonly Case[] = [
  {
    title: 'the core hashes a risk point',
    check(same, oracle) {
      const random = seeded(11)
      const cells = positions()
        .slice(0, 100)
        .flatMap((at) => oracle.fixToCells(...at))
      return cells.flatMap((cell, i) => {
        const secret = randomBytes(random, 32)
        const size = [5, 10, 20, 40, 80][i % 5]!
        const n = Math.floor(random() * 2 ** 32)
        return same(`riskHash ${cell} ${size} ${n}`, (core) => core.riskHash(secret, cell, size, n))
      })
    },
  },
  ...SALTINGS.map(
    (salting): Case => ({
      title: `the core makes and hashes the risk points of whole walks (${salting})`,
      check: (same, oracle) =>
        walks().flatMap((fixes, i) => [
          ...same(`fixesToRiskPoints ${i}`, (core) => core.fixesToRiskPoints(fixes, salting)),
          ...same(`hashRiskPoints ${i}`, (core) => hashWalk(core, oracle, fixes, salting)),
        ]),
    }),
  ),
  {
    title: 'the core makes the risk points of any number of fixes',
    check(same) {
      const fixes = walk(seeded(18), 65, 3, 5)
      return COUNTS.filter((count) => count <= fixes.length).flatMap((count) =>
        same(`fixesToRiskPoints of ${count}`, (core) => core.fixesToRiskPoints(fixes.slice(0, count), 'plain')),
      )
    },
  },
  {
    title: 'the core hashes any number of risk points, with distinct data in every lane',
    check(same, oracle) {
      const points = oracle.fixesToRiskPoints(walk(seeded(19), 40, 200, 5), 'plain')
      const secrets = randomBytes(seeded(20), points.needed.count * 32)
      return POINT_COUNTS.flatMap((count) =>
        same(`hashRiskPoints of ${count}`, (core) => core.hashRiskPoints(firstPoints(points, count), secrets)),
      )
    },
  },
]

const BATCH_CASES: readonly Case[] = [
  {
    title: 'the core hashes messages of every length, with distinct data in every lane',
    check(same) {
      const random = seeded(12)
      return Array.from({ length: LENGTH_MAX + 1 }, (_, length) => length).flatMap((length) => {
        const messages = randomBytes(random, length * 5)
        const key = randomBytes(random, length)
        return [
          ...same(`sha256Batch length ${length}`, (core) => core.sha256Batch(messages, length)),
          ...same(`hmacBatch length ${length}`, (core) => core.hmacBatch(key, messages, length)),
        ]
      })
    },
  },
  {
    title: 'the core hashes batches of every size',
    check(same) {
      const random = seeded(13)
      return COUNTS.flatMap((count) => {
        const messages = randomBytes(random, count * 38)
        const key = randomBytes(random, 32)
        return [
          ...same(`sha256Batch count ${count}`, (core) => core.sha256Batch(messages, 38)),
          ...same(`hmacBatch count ${count}`, (core) => core.hmacBatch(key, messages, 38)),
        ]
      })
    },
  },
  {
    title: 'the core sums bytes of every length up to 40 and around the size of its area, at once and in two parts',
    check(same) {
      const data = randomBytes(seeded(16), 40_001)
      const lengths = [...Array.from({ length: 41 }, (_, length) => length), 16_383, 16_384, 16_385, data.length]
      return lengths.flatMap((length) => {
        const bytes = data.subarray(0, length)
        const [head, tail] = [bytes.subarray(0, length >> 1), bytes.subarray(length >> 1)]
        return [
          ...same(`crc32 length ${length}`, (core) => core.crc32(bytes)),
          ...same(`crc32 length ${length} in two parts`, (core) => core.crc32(tail, core.crc32(head))),
        ]
      })
    },
  },
  {
    title: 'the core sorts any number of rows of every width and keeps the order of equal rows',
    check(same) {
      const random = seeded(17)
      return COUNTS.flatMap((count) =>
        WIDTHS.flatMap((width) => {
          // Nine of ten bytes of a key are zero: a quarter of the keys are equal, the others differ anywhere.
          const rows = randomBytes(random, count * width).map((byte, i) => (i % width < 12 && byte < 230 ? 0 : byte))
          return same(`sortRows ${count} of ${width}`, (core) => core.sortRows(rows, width))
        }),
      )
    },
  },
]

const REFUSAL_CASE: Case = {
  title: 'the core refuses every value that is no position, time, cell, secret, message or row',
  check: (same) => refusals().flatMap(([what, call]) => same(what, call)),
}

function compare(
  input: string,
  call: (core: Implementation) => unknown,
  subject: Implementation,
  oracle: Implementation,
): Mismatch[] {
  const [want, got] = [show(call, oracle), show(call, subject)]
  return want === got ? [] : [{ input, want, got }]
}

function positions() {
  const random = seeded(10)
  return Array.from({ length: POSITIONS }, () => anywhere(random))
}

/** Walks: standing still, standing still with noise, moving, no fix at all, and more fixes than a chunk holds. */
function walks() {
  const random = seeded(14)
  return [walk(random, 36, 0, 0), walk(random, 36, 0, 5), walk(random, 36, 200, 5), [], walk(random, 300, 3, 5)]
}

/** Hashes points of the oracle, so that a mistake in making points does not count again as a mistake in hashing. */
function hashWalk(core: Implementation, oracle: Implementation, fixes: ReturnType<typeof walk>, salting: Salting) {
  const points = oracle.fixesToRiskPoints(fixes, salting)
  return core.hashRiskPoints(points, randomBytes(seeded(15), points.needed.count * 32))
}

function firstPoints(points: RiskPoints, count: number): RiskPoints {
  return {
    ...points,
    count,
    cells: points.cells.slice(0, count),
    sizes: points.sizes.slice(0, count),
    blocks: points.blocks.slice(0, count),
    lags: points.lags.slice(0, count),
    secretIndex: points.secretIndex.slice(0, count),
  }
}

/** An answer as text: two texts are equal exactly when the answers are. For an error, the text is its class. */
function show(call: (core: Implementation) => unknown, core: Implementation): string {
  try {
    return JSON.stringify(call(core), (_, value) => (typeof value === 'bigint' ? value.toString(16) : toPlain(value)))
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown'
  }
}

function toPlain(value: unknown): unknown {
  if (value instanceof BigUint64Array) return Array.from(value, (word) => word.toString(16))
  return ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value
}
