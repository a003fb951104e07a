/**
 * Properties of the agreement on seeds, with real shards, rounds and services. Requests and answers come in any order,
 * makers give each replica another seed, and processes crash at any moment.
 */
import { setImmediate } from 'node:timers/promises'
import { equalBytes } from '@geotrace/core-wasm/wire'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toSignedRoots } from '../../../src/salt/seeds/seed-rule.ts'
import { equivocate } from './equivocator.ts'
import { Group, type TestReplica } from './replica.ts'

/** Requests and answers that wait until the test lets one of them go on. */
class Wires {
  readonly #waiting: (() => void)[] = []

  readonly carry = async (_from: number, _to: number, serve: () => Promise<Uint8Array>): Promise<Uint8Array> => {
    await this.#wait()
    const reply = await serve()
    await this.#wait()
    return reply
  }

  /** Runs the tasks to their end. `pick` draws which message goes on, and `after` runs after each message. */
  async run(tasks: readonly Promise<unknown>[], pick: (count: number) => number, after: () => void): Promise<void> {
    let isOver = false
    void Promise.all(tasks).finally(() => {
      isOver = true
    })
    while (!isOver) {
      // Handlers compute lines in slices and yield in between.
      await setImmediate()
      if (this.#waiting.length === 0) continue
      this.#waiting.splice(pick(this.#waiting.length), 1)[0]!()
      after()
    }
    await Promise.all(tasks)
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

interface Liar {
  readonly rank: number
  /** Its seed for each rank, and the ranks that get no seed from it. */
  readonly variants: readonly number[]
  readonly withheld: readonly boolean[]
}
interface Plan {
  readonly order: readonly number[]
  readonly liars: readonly Liar[]
  /** After how many messages which rank loses its memory. */
  readonly crashes: readonly { after: number; rank: number }[]
}

const ROUNDS = 4
const FAIR_ROUNDS = 12
/** Rounds after the certificate, half a minute: a replica that gave a bad seed is asked again after that time. */
const LATE_ROUNDS = 4

async function live(setting: { replicas: number; threshold: number }, plan: Plan): Promise<Group> {
  const wires = new Wires()
  const group = new Group({ ...setting, carry: wires.carry })
  for (const { rank, variants, withheld } of plan.liars) {
    // Two liars together may be most of a part, and then nobody outside the part can know that they withhold its seed.
    const withholdsFrom = (to: number): boolean => plan.liars.length === 1 && withheld[to]!
    await equivocate(group, group.replicas[rank]!, { variantOf: (to) => variants[to]!, withholdsFrom })
  }
  let steps = 0
  const pick = (count: number): number => (plan.order[steps % plan.order.length]! * 7 + steps) % count
  const crash = (): void => {
    steps++
    for (const { after, rank } of plan.crashes) if (after === steps) group.replicas[rank]!.restart()
  }
  for (let round = 0; round < ROUNDS; round++) {
    const forMs = round * 2_000
    await wires.run(
      group.replicas.map((replica) => replica.acquire(forMs)),
      pick,
      crash,
    )
  }
  // From here on nothing else goes wrong, and disputes run out.
  const liveOn = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      await group.clock.jumpTo(group.clock.now() + 10_000)
      await wires.run(
        group.replicas.map((replica) => replica.acquire()),
        () => 0,
        () => {},
      )
    }
  }
  await liveOn(FAIR_ROUNDS)
  const roots = honestOf(group, plan).flatMap((replica) => replica.root() ?? [])
  if (roots.length > 0) {
    await group.certify(toSignedRoots(roots)[0]!)
    await liveOn(LATE_ROUNDS)
  }
  return group
}

function honestOf({ replicas }: Group, { liars }: Plan): TestReplica[] {
  return replicas.filter(({ rank }) => !liars.some((liar) => liar.rank === rank))
}

const planFor = ({ replicas, liars, withholds }: Setting): fc.Arbitrary<Plan> => {
  const rank = fc.nat({ max: replicas - 1 })
  const each = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: replicas, maxLength: replicas })
  const liar = fc.record({
    // The lowest rank makes most seeds.
    rank: fc.oneof(fc.constant(0), rank),
    variants: each(fc.nat({ max: 2 })),
    withheld: each(withholds ? fc.boolean() : fc.constant(false)),
  })
  return fc.record({
    order: fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 60 }),
    liars: fc.uniqueArray(liar, { maxLength: liars, selector: (item) => item.rank }),
    crashes: fc.oneof(
      fc.constant([]),
      fc.array(fc.record({ after: fc.integer({ min: 1, max: 120 }), rank }), { maxLength: 3 }),
    ),
  })
}

interface Setting {
  replicas: number
  threshold: number
  liars: number
  withholds: boolean
  runs: number
}
const SETTINGS: readonly Setting[] = [
  { replicas: 3, threshold: 1, liars: 1, withholds: true, runs: 40 },
  // One liar is half of a part here, and then nobody outside the part can know that it withholds the seed.
  { replicas: 3, threshold: 2, liars: 1, withholds: false, runs: 25 },
  { replicas: 5, threshold: 3, liars: 2, withholds: true, runs: 12 },
]

describe('the agreement on seeds', () => {
  it.each(SETTINGS)(
    '$threshold of $replicas: honest replicas sign one sheet each, two sheets only beside evidence, and serve all parts',
    async (setting) => {
      await fc.assert(
        fc.asyncProperty(planFor(setting), async (plan) => {
          const group = await live(setting, plan)
          const honest = honestOf(group, plan)
          const isHonest = (key: Uint8Array): boolean => honest.some((replica) => equalBytes(replica.key, key))
          expect(group.evidence.filter(({ key }) => isHonest(key))).toEqual([])
          for (const { signedRoots, seedsMade } of honest) {
            expect(signedRoots.size).toBeLessThanOrEqual(1)
            for (const seeds of seedsMade.values()) expect(seeds.size).toBe(1)
          }
          const roots = new Set(honest.flatMap(({ signedRoots }) => [...signedRoots]))
          if (roots.size > 1) expect(group.evidence.length).toBeGreaterThan(0)
          // A crash that takes the only copy of a seed may leave the shard vacant. A liar alone may not.
          if (plan.crashes.length > 0) return
          for (const replica of honest) {
            expect(replica.signedRoots.size).toBe(1)
            expect(replica.isWhole()).toBe(true)
          }
        }),
        { numRuns: setting.runs },
      )
    },
  )
})
