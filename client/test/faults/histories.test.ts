import { availableParallelism } from 'node:os'
import { expect, it } from 'vitest'
import { deferredShare, describeCampaign } from '../simulation/campaign.ts'
import { runOnWorkers } from '../simulation/workers.ts'

/**
 * The long campaign. SIM_HISTORIES says how many, SIM_PREFIX which: each prefix is another set, so that it can be run in
 * parts; SIM_WORKERS how many at a time. CONTRIBUTING "Simulation".
 */
const HISTORIES = Number(process.env.SIM_HISTORIES ?? 10_000)
const PREFIX = process.env.SIM_PREFIX ?? 'large'
const WORKERS = Number(process.env.SIM_WORKERS ?? availableParallelism())
/** Scales are drawn up to it, most far below. */
const LARGEST = { nodes: 20, devices: 100, hours: 5, faults: 40, joiners: 2 }
const PROGRESS_EVERY = 10
/** Enough that some devices were away for longer than the salt window, and some nodes that joined hold shards. */
const MANY = 300
/** Long enough for any HISTORIES that somebody has the patience for. */
const TIMEOUT_MS = 14 * 24 * 60 * 60_000

it(
  `${HISTORIES} histories of up to ${LARGEST.nodes} nodes and ${LARGEST.devices} devices come out well`,
  async ({ annotate }) => {
    const seeds = Array.from({ length: HISTORIES }, (_, i) => `${PREFIX}-${i}`)
    let told = 0
    const campaign = await runOnWorkers(seeds, LARGEST, WORKERS, (sum) => {
      // A failure is said at once, with its seed: nobody waits to the end for it.
      for (; told < sum.failures.length; told++) process.stderr.write(`${sum.failures[told]}\n`)
      if (sum.histories < PROGRESS_EVERY || sum.histories % PROGRESS_EVERY === 0)
        process.stderr.write(`${describeCampaign(sum)}\n`)
    })
    const { failures, ...sums } = campaign
    await annotate(JSON.stringify({ ...sums, deferredShare: deferredShare(sums) }))
    expect(failures.join('\n')).toBe('')
    expect(sums.histories).toBe(HISTORIES)
    expect(deferredShare(sums)).toBeLessThanOrEqual(0.02)
    if (HISTORIES >= MANY) {
      expect(sums.fixesLost).toBeGreaterThan(0)
      expect(sums.nodesSettled).toBeGreaterThan(0)
      expect(sums.saltsOfJoined).toBeGreaterThan(0)
    }
  },
  TIMEOUT_MS,
)
