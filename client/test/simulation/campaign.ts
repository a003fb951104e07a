/**
 * Many histories in a row, each of a scale that its seed draws, and their sum. CONTRIBUTING "Simulation".
 * What a history finds is thrown with the command that replays it.
 */
import { loadCore } from '@geotrace/core-wasm'
import { drawScale, type History, runHistory, type Scale } from './history.ts'

export interface Campaign {
  readonly histories: number
  readonly events: number
  readonly salts: number
  readonly rows: number
  readonly marks: number
  readonly fixesLost: number
  readonly liesCaught: number
  readonly nodesAdmitted: number
  readonly nodesSettled: number
  readonly syncs: number
  readonly successions: number
  /** Histories in which a roster was certified while things went wrong. */
  readonly succeeded: number
  /** Syncs that ended in another way than `done`, by how. */
  readonly unfinished: Readonly<Record<string, number>>
  /** How often each kind struck. */
  readonly faults: Readonly<Record<string, number>>
  readonly failures: readonly string[]
  /** Of this process, user and system. */
  readonly cpuSeconds: number
}

const SUMMED = [
  ...(['events', 'salts', 'rows', 'marks', 'fixesLost', 'liesCaught'] as const),
  ...(['nodesAdmitted', 'nodesSettled', 'syncs', 'successions'] as const),
]

/** Calls `onHistory` after each of them with the sum so far. */
export async function runCampaign(
  seeds: readonly string[],
  largest: Scale,
  onHistory: (sum: Campaign) => void = () => {},
): Promise<Campaign> {
  const core = await loadCore()
  const started = process.cpuUsage()
  const sums = Object.fromEntries(SUMMED.map((key) => [key, 0])) as Record<(typeof SUMMED)[number], number>
  const counts = { histories: 0, succeeded: 0 }
  const unfinished: Record<string, number> = {}
  const faults: Record<string, number> = {}
  const failures: string[] = []
  const sum = (): Campaign => {
    const { user, system } = process.cpuUsage(started)
    return { ...counts, ...sums, unfinished, faults, failures, cpuSeconds: (user + system) / 1e6 }
  }
  for (const seed of seeds) {
    const history = await runHistory({ seed, core, scale: drawScale(seed, largest) })
    counts.histories++
    if (history.successions > 0) counts.succeeded++
    for (const key of SUMMED) sums[key] += history[key]
    for (const [how, count] of Object.entries(history.unfinished)) unfinished[how] = (unfinished[how] ?? 0) + count
    for (const kind of history.faults) faults[kind] = (faults[kind] ?? 0) + 1
    if (history.findings.length > 0) failures.push(describeFailure(history))
    onHistory(sum())
  }
  return sum()
}

export function describeFailure({
  seed,
  scale,
  findings,
  faults,
}: Pick<History, 'seed' | 'scale' | 'findings' | 'faults'>): string {
  return [
    `seed ${seed}: ${findings.length} findings after ${faults.join(', ') || 'no fault'}`,
    ...findings.slice(0, 10).map((finding) => `  ${finding}`),
    `  again: SIM_SEED='${seed}' SIM_SCALE='${JSON.stringify(scale)}' npx vitest run --project client simulation/replay`,
  ].join('\n')
}

/** One line for people: how many, how fast, how well. */
export function describeCampaign(sum: Campaign): string {
  const { histories, cpuSeconds, syncs, successions, liesCaught, nodesAdmitted, nodesSettled, failures } = sum
  const share = (100 * deferredShare(sum)).toFixed(2)
  const faults = Object.values(sum.faults).reduce((a, b) => a + b, 0)
  return `${histories} histories, ${(cpuSeconds / histories).toFixed(2)} CPU s each; ${syncs} syncs, ${share} % deferred; ${faults} faults, ${liesCaught} lies caught, ${successions} successions, ${nodesAdmitted} nodes admitted, ${nodesSettled} of them with shards; ${failures.length} failures`
}

/** Of all syncs, those that had to leave fixes for later because no salts could be had. */
export function deferredShare({ syncs, unfinished }: Pick<Campaign, 'syncs' | 'unfinished'>): number {
  return syncs === 0 ? 0 : (unfinished.deferred ?? 0) / syncs
}
