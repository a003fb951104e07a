import { loadCore } from '@geotrace/core-wasm'
import { describe, expect, it, vi } from 'vitest'
import { deferredShare, describeFailure, runCampaign } from './campaign.ts'
import corpus from './corpus.json' with { type: 'json' }
import { faultsNamed, runHistory } from './history.ts'

vi.mock('@noble/curves/ed25519.js', () => import('./native-ed25519.ts'))
vi.mock('../../../node/src/membership/native-signer.ts', () => import('./native-ed25519.ts'))

/** Seconds each, with rosters and gossip under way: a few for every `npm test`; client/test/faults has the many. */
const HISTORIES = 5
const SMALL = { nodes: 5, devices: 6, hours: 1, faults: 12 }

describe('histories of a federation in which everything goes wrong that may', () => {
  it('agree on every salt, lose no row in silence, give the marks of the rule, and recover', async () => {
    const campaign = await runCampaign(
      Array.from({ length: HISTORIES }, (_, i) => `small-${i}`),
      SMALL,
    )
    expect(campaign.failures.join('\n')).toBe('')
    expect(campaign.histories).toBe(HISTORIES)
    expect(campaign.marks).toBeGreaterThan(0)
    expect(deferredShare(campaign)).toBeLessThanOrEqual(0.02)
  }, 1_200_000)

  it('are the same, event for event, when their seed is the same', async () => {
    const core = await loadCore()
    const scale = { nodes: 4, devices: 4, hours: 1, faults: 6 }
    const digests = []
    for (const seed of ['twice', 'twice', 'once']) digests.push((await runHistory({ seed, core, scale })).digest)
    expect(digests[1]).toBe(digests[0])
    expect(digests[2]).not.toBe(digests[0])
  })
})

describe('a seed that once found something', () => {
  it.each(corpus)('finds nothing any more: $story', async ({ seed, scale, kinds }) => {
    const history = await runHistory({ seed, scale, core: await loadCore(), kinds: faultsNamed(kinds) })
    expect(history.findings.length === 0 ? '' : describeFailure(history)).toBe('')
  })
})
