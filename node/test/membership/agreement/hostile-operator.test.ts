import { afterEach, describe, expect, it } from 'vitest'
import { councilWorld, type World } from './council-world.ts'
import { HOSTILE_NAMES, liveHostilePeriods } from './hostile-operator.ts'

let world: World | undefined
afterEach(() => world?.stop())
const PERIODS = 30

describe('the agreement on rosters with one operator that is hostile in every way at once', () => {
  it('an operator that cannot be convicted stops no period of thirty', async () => {
    const [name] = HOSTILE_NAMES as [string]
    world = await councilWorld([name])
    const periods = await liveHostilePeriods(world, name, 'unprovable', PERIODS)
    expect(periods.map(({ isCertified }) => isCertified)).toEqual(Array(PERIODS).fill(true))
    expect(periods.map(({ isRemoved }) => isRemoved)).toEqual(Array(PERIODS).fill(false))
    expect(new Set(periods.flatMap(({ acts }) => acts))).toEqual(new Set(['proposal', 'sheets', 'vote']))
  })

  it.each(HOSTILE_NAMES)(
    '%s contradicts itself wherever it can: every period is certified, and it is removed',
    async (name) => {
      world = await councilWorld([name])
      const periods = await liveHostilePeriods(world, name, 'provable', 3)
      expect(periods.map(({ isCertified }) => isCertified)).toEqual(Array(3).fill(true))
      expect(periods[0]!.acts).toEqual(['proposal', 'sheets', 'vote'])
      expect(periods.map(({ isRemoved }) => isRemoved)).toContain(true)
    },
  )
})
