import { availableParallelism } from 'node:os'
import { expect, it } from 'vitest'
import { deferredShare, describeCampaign } from '../simulation/campaign.ts'
import { runOnWorkers } from '../simulation/workers.ts'

/**
 * The long campaign. CONTRIBUTING "Simulation". SIM_HISTORIES sets the number of histories and SIM_WORKERS the number of
 * processes. Each SIM_PREFIX is another set of seeds, so a campaign can run in parts.
 */
const HISTORIES = Number(process.env.SIM_HISTORIES ?? 10_000)
const PREFIX = process.env.SIM_PREFIX ?? 'large'
const WORKERS = Number(process.env.SIM_WORKERS ?? availableParallelism())
/** The largest scale. Most histories draw a scale far below. */
const LARGEST = { nodes: 20, devices: 100, hours: 5, faults: 40, joiners: 2 }
const PROGRESS_EVERY = 10
/** In this many histories some devices are offline beyond the salt window, and some nodes that joined hold shards. */
const MANY = 300
/** Two weeks. */
const TIMEOUT_MS = 14 * 24 * 60 * 60_000

it(
  `${HISTORIES} histories of up to ${LARGEST.nodes} nodes and ${LARGEST.devices} devices end without a finding`,
  async ({ annotate }) => {
    const seeds = Array.from({ length: HISTORIES }, (_, i) => `${PREFIX}-${i}`)
    let printed = 0
    const campaign = await runOnWorkers(seeds, LARGEST, WORKERS, (sum) => {
      // Print a failure at once, with its seed, instead of at the end of the campaign.
      for (; printed < sum.failures.length; printed++) process.stderr.write(`${sum.failures[printed]}\n`)
      if (sum.histories < PROGRESS_EVERY || sum.histories % PROGRESS_EVERY === 0)
        process.stderr.write(`${describeCampaign(sum)}\n`)
    })
    const { failures, ...sums } = campaign
    await annotate(JSON.stringify({ ...sums, deferredShare: deferredShare(sums) }))
    expect(failures.join('\n')).toBe('')
    expect(sums.histories).toBe(HISTORIES)
    expect(deferredShare(sums)).toBeLessThanOrEqual(0.005)
    if (HISTORIES >= MANY) {
      expect(sums.fixesLost).toBeGreaterThan(0)
      expect(sums.nodesSettled).toBeGreaterThan(0)
      expect(sums.saltsOfJoined).toBeGreaterThan(0)
      expect(sums.epochsOvertaken).toBeGreaterThan(0)
    }
  },
  TIMEOUT_MS,
)
