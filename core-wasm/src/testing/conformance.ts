/**
 * The conformance suite: what every implementation of the core must answer, held against another one (the reference, or
 * any that passed). A case is a title and a function that lists mismatches; nothing here knows a test runner.
 */
import type { RiskPoints, Salting } from '../domain.ts'
import type { Implementation } from './reference.ts'
import { refusals } from './refusals.ts'
import { anywhere, randomBytes, seeded, walk } from './samples.ts'

export interface Mismatch {
  /** The call and what it was given. */
  readonly input: string
  readonly want: string
  readonly got: string
}

export interface ConformanceCase {
  /** A sentence whose subject is the implementation. */
  readonly title: string
  run(subject: Implementation): Mismatch[]
}

/** The part of a test runner that `registerConformance` needs: vitest, mocha and node:test all have it. */
export interface Runner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => void | Promise<void>): void
}

const SALTINGS: readonly Salting[] = ['plain', 'oblivious', 'threshold']
const POSITIONS = 400
/** Past two blocks, one message by one. */
const LENGTH_MAX = 130
/** Fewer than, as many as and more than the lanes of any build, and around the sizes that areas may have. */
const COUNTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257]
const POINT_COUNTS = [...COUNTS, 1023, 1024, 1025]

/** A hash alone, with a byte, with two words; a row that takes several words to move. */
const WIDTHS = [12, 13, 16, 20, 45]

/** All mismatches; an implementation that conforms has none. */
export function conformance(subject: Implementation, oracle: Implementation): Mismatch[] {
  return conformanceCases(oracle).flatMap((each) => each.run(subject))
}

/** The suite as tests of a runner, each of which throws on its first mismatches. */
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
  return [
    {
      title: 'finds the cells of positions all over the earth',
      run: (subject) =>
        positions().flatMap((at) => compare(`fixToCells ${at}`, (core) => core.fixToCells(...at), subject, oracle)),
    },
    {
      title: 'finds layer A of any number of positions at once',
      run: (subject) =>
        COUNTS.flatMap((count) => {
          const at = positions().slice(0, count)
          const [lats, lngs] = [0, 1].map((axis) => Float64Array.from(at, (degrees) => degrees[axis]!))
          return compare(`latLngsToCells ${count}`, (core) => core.latLngsToCells(lats!, lngs!), subject, oracle)
        }),
    },
    {
      title: 'finds the region of every cell and corner',
      run: (subject) =>
        positions()
          .flatMap((at) => oracle.fixToCells(...at))
          .flatMap((cell) => compare(`cellToRegion ${cell}`, (core) => core.cellToRegion(cell), subject, oracle)),
    },
    {
      title: 'gives a region to a shard',
      run: (subject) =>
        [1, 2, 5, 64, 1_000_003].flatMap((shards) =>
          [0, 1, 138_667, 288_121].flatMap((region) =>
            compare(`regionToShard ${region} ${shards}`, (core) => core.regionToShard(region, shards), subject, oracle),
          ),
        ),
    },
    {
      title: 'finds the ten time blocks, at both sides of every edge',
      run: (subject) =>
        [
          0,
          1,
          299_999,
          300_000,
          4_799_999,
          4_800_000,
          1_760_000_000_000,
          1_760_000_000_000.9,
          0xffffffff * 300_000 - 1,
        ].flatMap((at) => compare(`timeToBlocks ${at}`, (core) => core.timeToBlocks(at), subject, oracle)),
    },
    {
      title: 'hashes a risk point',
      run: (subject) => {
        const random = seeded(11)
        return positions()
          .slice(0, 100)
          .flatMap((at) => oracle.fixToCells(...at))
          .flatMap((cell, i) => {
            const secret = randomBytes(random, 32)
            const size = [5, 10, 20, 40, 80][i % 5]!
            const n = Math.floor(random() * 2 ** 32)
            return compare(
              `riskHash ${cell} ${size} ${n}`,
              (core) => core.riskHash(secret, cell, size, n),
              subject,
              oracle,
            )
          })
      },
    },
    ...SALTINGS.map((salting) => ({
      title: `makes and hashes the risk points of whole walks (${salting})`,
      run: (subject: Implementation) =>
        walks().flatMap((fixes, i) => [
          ...compare(`fixesToRiskPoints ${i}`, (core) => core.fixesToRiskPoints(fixes, salting), subject, oracle),
          ...compare(`hashRiskPoints ${i}`, (core) => hashWalk(core, oracle, fixes, salting), subject, oracle),
        ]),
    })),
    {
      title: 'makes the risk points of any number of fixes',
      run: (subject) => {
        const fixes = walk(seeded(18), 65, 3, 5)
        return COUNTS.filter((count) => count <= fixes.length).flatMap((count) =>
          compare(
            `fixesToRiskPoints of ${count}`,
            (core) => core.fixesToRiskPoints(fixes.slice(0, count), 'plain'),
            subject,
            oracle,
          ),
        )
      },
    },
    {
      title: 'hashes any number of risk points, each lane its own',
      run: (subject) => {
        const points = oracle.fixesToRiskPoints(walk(seeded(19), 40, 200, 5), 'plain')
        const secrets = randomBytes(seeded(20), points.needed.count * 32)
        return POINT_COUNTS.flatMap((count) =>
          compare(
            `hashRiskPoints of ${count}`,
            (core) => core.hashRiskPoints(firstPoints(points, count), secrets),
            subject,
            oracle,
          ),
        )
      },
    },
    {
      title: 'hashes messages of every length, each lane its own',
      run: (subject) => {
        const random = seeded(12)
        return Array.from({ length: LENGTH_MAX + 1 }, (_, length) => length).flatMap((length) => {
          const messages = randomBytes(random, length * 5)
          const key = randomBytes(random, length)
          return [
            ...compare(`sha256Batch length ${length}`, (core) => core.sha256Batch(messages, length), subject, oracle),
            ...compare(`hmacBatch length ${length}`, (core) => core.hmacBatch(key, messages, length), subject, oracle),
          ]
        })
      },
    },
    {
      title: 'hashes batches of every size',
      run: (subject) => {
        const random = seeded(13)
        return COUNTS.flatMap((count) => {
          const messages = randomBytes(random, count * 38)
          const key = randomBytes(random, 32)
          return [
            ...compare(`sha256Batch count ${count}`, (core) => core.sha256Batch(messages, 38), subject, oracle),
            ...compare(`hmacBatch count ${count}`, (core) => core.hmacBatch(key, messages, 38), subject, oracle),
          ]
        })
      },
    },
    {
      title: 'sums bytes of every length up to 40, at once and in two parts, and around what fits its area',
      run: (subject) => {
        const random = seeded(16)
        const data = randomBytes(random, 40_001)
        const lengths = [...Array.from({ length: 41 }, (_, length) => length), 16_383, 16_384, 16_385, data.length]
        return lengths.flatMap((length) => {
          const bytes = data.subarray(0, length)
          const half = length >> 1
          return [
            ...compare(`crc32 length ${length}`, (core) => core.crc32(bytes), subject, oracle),
            ...compare(
              `crc32 length ${length} in two parts`,
              (core) => core.crc32(bytes.subarray(half), core.crc32(bytes.subarray(0, half))),
              subject,
              oracle,
            ),
          ]
        })
      },
    },
    {
      title: 'sorts any number of rows of every width, alike ones in the order they came',
      run: (subject) => {
        const random = seeded(17)
        return COUNTS.flatMap((count) =>
          WIDTHS.flatMap((width) => {
            // Nine bytes of a key in ten are zero: a quarter of the keys are equal, the others differ anywhere.
            const rows = randomBytes(random, count * width).map((byte, i) => (i % width < 12 && byte < 230 ? 0 : byte))
            return compare(`sortRows ${count} of ${width}`, (core) => core.sortRows(rows, width), subject, oracle)
          }),
        )
      },
    },
    {
      title: 'refuses what is no position, time, cell, secret, message or row',
      run: (subject) => refusals().flatMap(([what, call]) => compare(what, call, subject, oracle)),
    },
  ]

  function compare(
    input: string,
    call: (core: Implementation) => unknown,
    subject: Implementation,
    wanted: Implementation,
  ): Mismatch[] {
    const [want, got] = [show(call, wanted), show(call, subject)]
    return want === got ? [] : [{ input, want, got }]
  }
}

function positions() {
  const random = seeded(10)
  return Array.from({ length: POSITIONS }, () => anywhere(random))
}

/** Somebody who stays, one who stays but is read inexactly, one who moves; nobody; more fixes than a chunk holds. */
function walks() {
  const random = seeded(14)
  return [walk(random, 36, 0, 0), walk(random, 36, 0, 5), walk(random, 36, 200, 5), [], walk(random, 300, 3, 5)]
}

/** Points from the oracle, so that a mistake in making points is not reported again as one in hashing them. */
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

/** An answer as text that is equal exactly when the answers are; of an error its class. */
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
