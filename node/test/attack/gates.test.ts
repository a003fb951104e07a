/**
 * The quick attacks of the lab as gates, on a small town. They need a process of their own: one searches its memory.
 * `npm run attack` runs all attacks on the whole town and prints the figures that PRIVACY.md cites.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { ATTACKS } from '../../attack/attacks/index.ts'
import { exactly, type Figure } from '../../attack/lab/attack.ts'
import { type Result, runAttacks } from '../../attack/lab/run.ts'
import { SETTINGS } from '../../attack/lab/settings.ts'
import { allHold, resultsToText } from '../../attack/lab/table.ts'
import { createTown } from '../../attack/lab/town.ts'

const PEOPLE = 8
const QUICK = ATTACKS.filter(({ isQuick }) => isQuick)

describe('the attack lab', () => {
  let results: Result[] = []
  beforeAll(async () => {
    results = await runAttacks({ attacks: QUICK, worlds: [createTown(PEOPLE)], progress: () => {} })
  }, 900_000)

  const outcome = (attack: string, setting: string) =>
    results.find((result) => result.attack === attack && result.setting === setting)?.outcome

  it('every quick attack has a figure under every setting, or the reason why it did not run', () => {
    expect(results).toHaveLength(QUICK.length * SETTINGS.length)
  })

  it('every gate of a quick attack holds', () => {
    const broken = results.filter(({ outcome }) => !('notRun' in outcome) && outcome.gate?.holds === false)
    expect(broken, resultsToText(ATTACKS, broken)).toEqual([])
  })

  it('one client reads the whole database under plain salting, which the warning WEAK says', () => {
    expect(outcome('A1', 'plain')).toMatchObject({ value: 100, gate: { holds: true } })
  })

  it('t − 1 replicas of three of five put no hash on the map, and t replicas all', () => {
    expect(outcome('A3', '3 of 5')).toMatchObject({ value: 0, gate: { holds: true } })
    expect(outcome('A4', '3 of 5')).toMatchObject({ gate: { holds: true } })
  })

  it('one device reads less than a fiftieth of a per cent of a region under three of five', () => {
    expect((outcome('A1', '3 of 5') as Figure).value).toBeLessThanOrEqual(0.02)
  })
})

describe('the table of the attack lab', () => {
  const [attack] = ATTACKS
  const broken = {
    attack: attack!.name,
    world: 'town',
    setting: 'plain',
    outcome: { value: 1, unit: 'hashes' },
  } as const

  it('a run with a broken gate fails and says which gate is broken', () => {
    const results: Result[] = [{ ...broken, outcome: { ...broken.outcome, gate: exactly(1, 0, 'hashes') } }]
    expect(allHold(results)).toBe(false)
    expect(resultsToText([attack!], results)).toContain('BROKEN: exactly 0 hashes')
  })

  it('an attack that did not run says so and why', () => {
    const results: Result[] = [{ ...broken, outcome: { notRun: 'there is no relay' } }]
    expect(allHold(results)).toBe(true)
    expect(resultsToText([attack!], results)).toContain('NOT RUN: there is no relay')
  })
})
