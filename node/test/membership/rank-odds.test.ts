import { readFileSync } from 'node:fs'
import { quorum } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  admissionChance,
  admissionDraws,
  bestOf,
  captureChance,
  foundingChance,
  type Shape,
} from '../../src/membership/rank-odds.ts'
import { run } from '../cli/captured.ts'

/** All orders of these items. */
function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) =>
    orders([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  )
}
const share = (list: readonly boolean[]): number => list.filter(Boolean).length / list.length
const small = fc
  .record({
    operators: fc.integer({ min: 1, max: 6 }),
    a: fc.nat({ max: 5 }),
    b: fc.nat({ max: 5 }),
    c: fc.nat({ max: 6 }),
  })
  .map(({ operators, a, b, c }): Shape => {
    const replicas = 1 + (a % operators)
    return { operators, replicas, threshold: 1 + (b % replicas), colluding: c % (operators + 1) }
  })

describe('the chances that colluding operators hold a chosen shard', () => {
  it('the chance at a founding is the share of the orders of ranks in which enough replicas collude', () => {
    fc.assert(
      fc.property(small, (shape) => {
        const { operators, replicas, threshold, colluding } = shape
        const all = orders(Array.from({ length: operators }, (_, i) => i < colluding))
        const captured = all.map((order) => order.slice(0, replicas).filter(Boolean).length >= threshold)
        expect(captureChance(shape)).toBeCloseTo(share(captured), 12)
      }),
      { numRuns: 60 },
    )
  })

  it('the chance of a new operator is the share of the orders in which one of its draws is among the lowest', () => {
    for (const [operators, replicas, draws] of [
      [3, 2, 2],
      [4, 1, 3],
      [4, 3, 2],
      [5, 3, 1],
      [2, 2, 4],
    ] as const) {
      const all = orders(Array.from({ length: operators + draws }, (_, i) => i < draws))
      const chance = admissionChance({ operators, replicas }, draws)
      expect(chance).toBeCloseTo(share(all.map((order) => order.slice(0, replicas).includes(true))), 12)
    }
    expect(admissionChance({ operators: 30, replicas: 5 }, 1)).toBeCloseTo(5 / 31, 12)
  })

  it('colluders choose among 2^f sets of nonces while the others are a quorum, and may wait otherwise', () => {
    for (const operators of [4, 6, 9, 30, 100]) {
      const voters = operators + 1
      for (let colluding = 0; colluding <= operators; colluding++) {
        // Every set of the colluders' nonces that makes a quorum with all the others.
        const sets = 2 ** colluding
        const draws = voters - colluding >= quorum(voters) ? sets : Number.POSITIVE_INFINITY
        expect(admissionDraws({ operators, colluding })).toBe(draws)
      }
    }
    expect(admissionChance({ operators: 6, replicas: 3 }, Number.POSITIVE_INFINITY)).toBe(1)
    expect([bestOf(0.5, 2), bestOf(0.5, 1), bestOf(0, Number.POSITIVE_INFINITY)]).toEqual([0.75, 0.5, 0])
  })

  it('a founding that colluders stop and repeat costs them one member for each further draw', () => {
    const shape = { operators: 30, replicas: 5, threshold: 3, colluding: 4 }
    const [four, three] = [captureChance(shape), captureChance({ ...shape, operators: 29, colluding: 3 })]
    // With two or fewer members left they cannot hold three replicas.
    expect(foundingChance(shape)).toBeCloseTo(1 - (1 - four) * (1 - three), 12)
    expect(foundingChance({ operators: 2, replicas: 2, threshold: 2, colluding: 1 })).toBe(0)
  })

  it('PRIVACY.md has exactly the table that `geotrace federation odds` prints', async () => {
    const { code, stdout } = await run('federation', 'odds')
    expect(code).toBe(0)
    expect(stdout.length).toBeGreaterThan(6)
    const page = readFileSync(new URL('../../../PRIVACY.md', import.meta.url), 'utf8')
    const [head] = stdout
    const printed = page.slice(page.indexOf(head!)).split('\n\n')[0]
    expect(printed).toBe(stdout.join('\n'))
    expect(page).toContain('geotrace federation odds')
  })

  it('the command prints the chances of any shape, and refuses a shape that cannot be', async () => {
    const one = await run('federation', 'odds', '--operators', '6', '--colluding', '2')
    expect(one.stdout[2]).toMatch(/^\| 6 \| 3 \| 1 \| 2 \| 80 % \| 92 % \|/)
    const json = await run('federation', 'odds', '--operators', '6', '--json')
    expect(JSON.parse(json.stdout[0]!)).toMatchObject([{ operators: 6, captured: 0.5 }])
    for (const wrong of [
      ['--operators', '2'],
      ['--operators', '9', '--threshold', '4'],
      ['--operators', '9', '--colluding', '10'],
    ]) {
      expect(await run('federation', 'odds', ...wrong)).toMatchObject({ code: 2, stdout: [] })
    }
  })
})
