import { loadCore } from '@geotrace/core-wasm'
import { expect, it, vi } from 'vitest'
import { describeFailure } from './campaign.ts'
import { faultsNamed, runHistory } from './history.ts'

vi.mock('@noble/curves/ed25519.js', () => import('./native-ed25519.ts'))
vi.mock('../../../node/src/platform/native-signer.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/wire/encoding/host-verify.ts', () => import('./native-ed25519.ts'))
// A simulation cannot wait for a compilation, so the group is loaded before.
vi.mock('../../../core-wasm/src/voprf/group.ts', async (original) => {
  const real = await original<typeof import('../../../core-wasm/src/voprf/group.ts')>()
  const group = await real.loadGroup()
  return { ...real, loadGroup: async () => group }
})

it('a history in the real group, in which a node lies, ends without a finding', async () => {
  const scale = { nodes: 3, devices: 2, hours: 0.15, faults: 1, salting: 'threshold' } as const
  const history = await runHistory({ seed: 'real-0', core: await loadCore(), scale, kinds: faultsNamed(['node-lies']) })
  expect(history.findings.length === 0 ? '' : describeFailure(history)).toBe('')
  expect(history.faults).toEqual(['node-lies'])
  expect(history.secrets).toBeGreaterThan(10)
})
