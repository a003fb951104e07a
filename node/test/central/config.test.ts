import { describe, expect, it } from 'vitest'
import { toCentralConfig } from '../../src/central/config.ts'
import { SEED_PROFILE } from '../../src/central/risk/risk-profile.ts'
import { demoManifest } from './world.ts'

describe('the settings of a central peer', () => {
  const manifest = demoManifest()

  it('the settings have defaults, and the profile takes the degrees and the latency from them', () => {
    const config = toCentralConfig({ degrees: 3 }, manifest)
    expect(config).toMatchObject({ degrees: 3, reportDays: 14, attemptsPerDay: 10, latencyEpochs: 0 })
    expect(config.profile).toEqual({ ...SEED_PROFILE, degrees: 3 })
  })

  it('an unknown setting or a number out of bounds is refused with COMMAND_INVALID', () => {
    for (const bad of [
      { degrees: 0 },
      { degrees: 6 },
      { latencyEpochs: 1.5 },
      { inFlight: 0 },
      { colour: 1 },
      { profile: { ...SEED_PROFILE, same: 0 } },
    ]) {
      expect(() => toCentralConfig(bad as object, manifest)).toThrow(
        expect.objectContaining({ code: 'COMMAND_INVALID' }),
      )
    }
  })
})
