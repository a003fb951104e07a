import { loadCore } from '@geotrace/core-wasm'
import { spreadGrid } from '@geotrace/core-wasm/spread'
import { DAY_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { AREA, inventFixes, VENUES } from '../../../src/cli/demo/spread/people.ts'
import { systemRandom } from '../../../src/platform/random.ts'

const NOW = Date.UTC(2026, 10, 20, 12)

describe('the invented people of the spread', () => {
  it('every venue lies in a cell of its own within the area', async () => {
    const core = await loadCore()
    const grid = spreadGrid([AREA], 6)
    const buckets = VENUES.map(({ lat, lng }) => grid.bucketOf(core.fixToCells(lat, lng)[0]))
    expect(buckets).not.toContain(0)
    expect(new Set(buckets).size).toBe(VENUES.length)
  })

  it('a person has fixes of the last two weeks only, ascending, at three venues at most', () => {
    for (let i = 0; i < 50; i++) {
      const fixes = inventFixes(NOW, systemRandom)
      expect(fixes.every(({ at }) => at < NOW && at > NOW - 14 * DAY_MS)).toBe(true)
      expect(fixes.every(({ at }, n) => n === 0 || at > fixes[n - 1]!.at)).toBe(true)
      expect(new Set(fixes.map(({ lat }) => lat)).size).toBeLessThanOrEqual(3)
    }
  })
})
