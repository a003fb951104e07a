import { describe, expect, it } from 'vitest'
import { GOLDEN, goldenDigest } from '../scripts/golden-digest.js'
import { loadCore } from '../src/index.ts'

const COUNT = 1_000_000

describe.each(['simd', 'scalar'] as const)('the golden digest (%s build)', async (build) => {
  const core = await loadCore({ build })

  it('the golden digest of cells, regions, blocks, lags and hashes of a million fixes is the recorded one', () => {
    expect(goldenDigest(core, COUNT)).toBe(GOLDEN[COUNT])
  }, 600_000)
})
