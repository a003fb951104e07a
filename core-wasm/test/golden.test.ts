import { describe, expect, it } from 'vitest'
import { GOLDEN, goldenDigest } from '../scripts/golden-digest.js'
import { loadCore } from '../src/index.ts'

const COUNT = 100_000

describe.each(['simd', 'scalar'] as const)('the golden digest (%s build)', async (build) => {
  const core = await loadCore({ build })

  it('is that of every other engine: cells, regions, blocks, lags and hashes of a hundred thousand fixes', () => {
    expect(goldenDigest(core, COUNT)).toBe(GOLDEN[COUNT])
  })
})
