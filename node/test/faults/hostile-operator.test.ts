import { describe, expect, it } from 'vitest'
import { councilWorld } from '../membership/agreement/council-world.ts'
import { HOSTILE_NAMES, liveHostilePeriods } from '../membership/agreement/hostile-operator.ts'

/** FAULTS_PERIODS sets the number of periods for each operator and each kind of hostility. */
const PERIODS = Number(process.env.FAULTS_PERIODS ?? 30)

describe('the agreement on rosters with one of six operators hostile in every way at once, at full length', () => {
  for (const name of HOSTILE_NAMES) {
    it.each(['provable', 'unprovable'] as const)(
      `${name} is hostile (%s), and every period is certified`,
      async (how) => {
        const world = await councilWorld([name])
        try {
          const periods = await liveHostilePeriods(world, name, how, PERIODS)
          expect(periods.filter(({ isCertified }) => !isCertified)).toEqual([])
          expect(periods.at(-1)!.isRemoved).toBe(how === 'provable')
        } finally {
          await world.stop()
        }
      },
    )
  }
})
