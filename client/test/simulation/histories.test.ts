import { loadCore } from '@geotrace/core-wasm'
import { FAULTS } from '@geotrace/node/testing'
import { describe, expect, inject, it, vi } from 'vitest'
import { deferredShare, describeCampaign, describeFailure, runCampaign } from './campaign.ts'
import corpus from './corpus.json' with { type: 'json' }
import { deviceFaults } from './device-faults.ts'
import { faultsNamed, runHistory } from './history.ts'
import { runOnWorkers } from './workers.ts'

vi.mock('@noble/curves/ed25519.js', () => import('./native-ed25519.ts'))
vi.mock('../../../node/src/platform/native-signer.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/wire/encoding/host-verify.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/voprf/group.ts', () => import('../../../core-wasm/test/voprf/toy-group.ts'))

/** Short and small, so that every `npm test` can run as many; client/test/faults has the large ones. */
const ALL = 200
/** `npm test` takes every fourth of them, `npm run test:slow` all. */
const HISTORIES = inject('histories')
const STRIDE = ALL / HISTORIES
const SMALL = { nodes: 5, devices: 6, hours: 0.35, faults: 12 }

describe('small histories of a federation in which everything fails that may fail', () => {
  it('the small histories agree on every secret, lose no row silently, give the marks of the rule, and recover', async ({
    annotate,
  }) => {
    const seeds = Array.from({ length: HISTORIES }, (_, i) => `small-${i * STRIDE}`)
    // One worker process runs while this process waits, because other tests use the other cores.
    const campaign = await runOnWorkers(seeds, SMALL, 1)
    await annotate(describeCampaign(campaign))
    expect(campaign.failures.join('\n')).toBe('')
    expect(campaign.histories).toBe(HISTORIES)
    // The histories were not idle: every kind of fault struck, liars were caught, people met, rosters followed each other.
    const kinds = [...FAULTS, ...deviceFaults([])].map(({ name }) => name)
    expect(kinds.filter((name) => campaign.faults[name] === undefined)).toEqual([])
    expect(campaign.liesCaught).toBeGreaterThan(10 / STRIDE)
    expect(campaign.marks).toBeGreaterThan(1_000 / STRIDE)
    expect(campaign.succeeded).toBeGreaterThan(HISTORIES / 2)
    expect(campaign.nodesAdmitted).toBeGreaterThan(5 / STRIDE)
    expect(campaign.unfinished).toMatchObject({
      PEER_UNREACHABLE: expect.any(Number),
      PEER_TIMEOUT: expect.any(Number),
    })
    expect(deferredShare(campaign)).toBeLessThanOrEqual(0.005)
    // Half of the histories have a threshold above 1, a quarter has t = 1.
    expect(Object.keys(campaign.saltings).sort()).toEqual(['plain', 't = 1', 'threshold'])
    expect(campaign.saltings.threshold).toBeGreaterThan(HISTORIES / 4)
  }, 1_200_000)

  it('a history of one seed is the same in every process, event for event, and a worker reports the seed that failed', async () => {
    const seeds = ['w-0', 'w-1', 'w-2']
    const digests: string[] = []
    const { cpuSeconds, ...there } = await runOnWorkers(seeds, SMALL, 2, (_, lived) => digests.push(lived!.digest))
    const own: string[] = []
    const here = await runCampaign(seeds, SMALL, ({ digest }) => own.push(digest))
    expect({ ...there, cpuSeconds: 0 }).toEqual({ ...here, cpuSeconds: 0 })
    expect(cpuSeconds).toBeGreaterThan(0)
    expect(digests.sort()).toEqual(own.sort())
    expect(new Set(own).size).toBe(seeds.length)
    const broken = await runOnWorkers(['w-0'], { ...SMALL, nodes: Number.NaN }, 1)
    expect(broken.failures.join()).toMatch(/seed w-0: 1 findings.*\n.*members: Invalid/)
  })

  it('nodes that join during a history are admitted, ranked, and answer with the salts of their shards hours later', async () => {
    const scale = { nodes: 4, devices: 5, hours: 7, faults: 4, joiners: 2 }
    const history = await runHistory({ seed: 'k-4', core: await loadCore(), scale })
    expect(history.findings.length === 0 ? '' : describeFailure(history)).toBe('')
    expect(history.nodesAdmitted).toBeGreaterThan(1)
    expect(history.nodesSettled).toBeGreaterThan(0)
    expect(history.saltsOfJoined).toBeGreaterThan(0)
  })
})

describe('the corpus of seeds that once found a fault', () => {
  it.each(corpus)('a seed of the corpus finds nothing any more: $story', async ({ seed, scale, kinds }) => {
    const history = await runHistory({ seed, scale, core: await loadCore(), kinds: faultsNamed(kinds) })
    expect(history.findings.length === 0 ? '' : describeFailure(history)).toBe('')
  })
})
