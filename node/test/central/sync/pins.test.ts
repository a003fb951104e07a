import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { rosterPins } from '../../../src/central/sync/pins.ts'
import { certifiedRoster, demoManifest } from '../world.ts'

describe('the pins of rosters', () => {
  it('each pin covers one period, pins never overlap, and they survive a restart', async () => {
    const store = memoryStore()
    const manifest = demoManifest()
    const [first, second] = [certifiedRoster(manifest), certifiedRoster(manifest, { height: 1, firstEpoch: 24_700 })]
    const begin = first.roster.firstEpoch
    const later = certifiedRoster(manifest, { height: 1, firstEpoch: begin + 30 })
    const certified = [first]
    const rosters = {
      get newest() {
        return certified.at(-1)
      },
      inForce: (epoch: number) => certified.filter(({ roster }) => roster.firstEpoch <= epoch).at(-1),
    }
    const pins = await rosterPins(store, rosters)
    expect(await pins.pin(begin - 1)).toBeUndefined()
    expect(pins.name(begin - 1)).toEqual(new Uint8Array(8))
    // Periods are multiples of 18 epochs; the founding roster begins in the middle of one.
    expect(begin % 18).toBe(6)
    await Promise.all([pins.pin(begin + 20), pins.pin(begin + 25), pins.pin(begin), pins.pin(begin + 35)])
    certified.push(later)
    // A pinned period keeps its roster although a later one covers it; the later roster begins where the pin ends.
    expect(await pins.pin(begin + 31)).toEqual(first.hash.slice(0, 8))
    expect(await pins.pin(begin + 50)).toEqual(later.hash.slice(0, 8))
    expect((await store.pins()).map(({ firstEpoch, epochs }) => [firstEpoch - begin, epochs])).toEqual([
      [0, 12],
      [12, 18],
      [30, 18],
      [48, 18],
    ])
    certified.splice(0, 2, second)
    const again = await rosterPins(store, rosters)
    expect(again.name(begin + 20)).toEqual(first.hash.slice(0, 8))
  })
})
