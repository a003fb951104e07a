import { expect, it, vi } from 'vitest'
import { deferredShare, runCampaign } from '../simulation/campaign.ts'

vi.mock('@noble/curves/ed25519.js', () => import('../simulation/native-ed25519.ts'))
vi.mock('../../../node/src/membership/native-signer.ts', () => import('../simulation/native-ed25519.ts'))

/** The long campaign. SIM_HISTORIES says how many, SIM_PREFIX which: each prefix is another set. CONTRIBUTING "Simulation". */
const HISTORIES = Number(process.env.SIM_HISTORIES ?? 300)
const PREFIX = process.env.SIM_PREFIX ?? 'large'
/** Scales are drawn up to it, most far below. */
const LARGEST = { nodes: 20, devices: 100, hours: 5, faults: 40 }
/** Long enough for any HISTORIES that somebody has the patience for. */
const TIMEOUT_MS = 48 * 60 * 60_000

it(
  `${HISTORIES} histories of up to ${LARGEST.nodes} nodes and ${LARGEST.devices} devices come out well`,
  async ({ annotate }) => {
    const seeds = Array.from({ length: HISTORIES }, (_, i) => `${PREFIX}-${i}`)
    const started = process.cpuUsage()
    const { failures, ...sums } = await runCampaign(seeds, LARGEST)
    const { user, system } = process.cpuUsage(started)
    const cpuSeconds = Math.round((user + system) / 1e6)
    await annotate(JSON.stringify({ ...sums, deferredShare: deferredShare(sums), cpuSeconds }))
    expect(failures.join('\n')).toBe('')
    expect(sums.histories).toBe(HISTORIES)
    expect(deferredShare(sums)).toBeLessThanOrEqual(0.02)
    // Some were away for longer than the salt window, and it was counted.
    if (HISTORIES >= 300) expect(sums.fixesLost).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)
