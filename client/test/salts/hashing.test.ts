import { loadCore } from '@geotrace/core-wasm'
import { SECRET_BYTES } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { fixesToPoints, hashFixes, pointsToSecrets, selectFixes } from '../../src/salts/hashing.ts'
import { plainSalting } from '../../src/salts/plain-salting.ts'
import { saltKeeper } from '../../src/salts/salt-keeper.ts'
import type { WantedSecret } from '../../src/salts/salting.ts'
import { fakeFederation, life, START_MS, seededBytes } from '../../src/testing/fake-federation.ts'

const FIXES = life({ lat: 52.52, lng: 13.405 }, START_MS, 60, 0.0003)

describe('hashing', () => {
  it('some fixes of a set have the points and salts that they would have alone', async () => {
    const core = await loadCore()
    const { certified } = await fakeFederation()
    const rosterOf = () => certified
    const all = fixesToPoints(core, FIXES, rosterOf, plainSalting)
    for (const indexes of [[0], [11], [1, 2, 3], [0, 5, 11], FIXES.map((_, i) => i)]) {
      const alone = fixesToPoints(
        core,
        indexes.map((i) => FIXES[i]!),
        rosterOf,
        plainSalting,
      )
      expect(selectFixes(all, indexes)).toEqual(alone)
    }
  })

  it('the points of a set are computed once, also when a salt of some fixes is missing', async () => {
    const real = await loadCore()
    const { certified } = await fakeFederation()
    const rosterOf = () => certified
    const calls = { points: 0, hashed: [] as number[] }
    const core: typeof real = {
      ...real,
      fixesToRiskPoints(...args) {
        calls.points++
        return real.fixesToRiskPoints(...args)
      },
      hashRiskPoints(points, secrets) {
        calls.hashed.push(points.ofFix.length / 30)
        return real.hashRiskPoints(points, secrets)
      },
    }
    const keeper = saltKeeper()
    const random = seededBytes('salts')
    const all = fixesToPoints(core, FIXES, rosterOf, plainSalting)
    const [first, ...rest] = pointsToSecrets(all)
    for (const { wanted } of rest) {
      for (const salt of wanted as WantedSecret[])
        if (keeper.get(salt.name) === undefined) keeper.keep(salt, random(SECRET_BYTES))
    }
    const missing = (first!.wanted as WantedSecret[]).filter(({ name }) => keeper.get(name) === undefined)
    expect(missing.length).toBeGreaterThan(0)
    const some = hashFixes(core, all, rosterOf, keeper)
    expect(some.hashed.map(({ fix }) => fix)).toEqual(FIXES.slice(1))
    for (const salt of missing) keeper.keep(salt, random(SECRET_BYTES))
    const full = hashFixes(core, all, rosterOf, keeper)
    expect(full.hashed.slice(1)).toEqual(some.hashed)
    expect(calls).toEqual({ points: 1, hashed: [11, 12] })
    expect(hashFixes(core, all, rosterOf, saltKeeper())).toEqual({ hashed: [], points: 0 })
  })
})
