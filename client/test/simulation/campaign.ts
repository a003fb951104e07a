/**
 * Many histories in a row, and their sum. CONTRIBUTING "Simulation". The seed of a history draws its scale.
 * A finding comes with the command that replays its history.
 */
import { loadCore } from '@geotrace/core-wasm'
import { drawScale, type History, runHistory, type Scale } from './history.ts'

export interface Campaign {
  readonly histories: number
  readonly events: number
  readonly secrets: number
  readonly rows: number
  readonly marks: number
  readonly fixesLost: number
  readonly liesCaught: number
  readonly nodesJoined: number
  readonly nodesAdmitted: number
  readonly nodesSettled: number
  readonly saltsOfJoined: number
  readonly epochsOvertaken: number
  readonly syncs: number
  readonly successions: number
  /** Histories in which a roster was certified while faults struck. */
  readonly succeeded: number
  /** Syncs that did not end in `done`, by outcome. */
  readonly unfinished: Readonly<Record<string, number>>
  /** Histories under each salting. */
  readonly saltings: Readonly<Record<string, number>>
  /** How often each kind of fault struck. */
  readonly faults: Readonly<Record<string, number>>
  readonly failures: readonly string[]
  /** CPU time of the processes that ran the histories, user and system. */
  readonly cpuSeconds: number
}

const SUMMED = [
  ...(['events', 'secrets', 'rows', 'marks', 'fixesLost', 'liesCaught'] as const),
  ...([
    'nodesJoined',
    'nodesAdmitted',
    'nodesSettled',
    'saltsOfJoined',
    'epochsOvertaken',
    'syncs',
    'successions',
  ] as const),
]

export interface Tally {
  add(history: History, cpuSeconds: number): void
  /** Counts a history that did not end, because of the error `why`. */
  fail(seed: string, largest: Scale, why: string): void
  sum(): Campaign
}

export function createTally(): Tally {
  const sums = Object.fromEntries(SUMMED.map((key) => [key, 0])) as Record<(typeof SUMMED)[number], number>
  const counts = { histories: 0, succeeded: 0, cpuSeconds: 0 }
  const unfinished: Record<string, number> = {}
  const faults: Record<string, number> = {}
  const saltings: Record<string, number> = {}
  const failures: string[] = []
  return {
    add(history, cpuSeconds) {
      counts.histories++
      counts.cpuSeconds += cpuSeconds
      if (history.successions > 0) counts.succeeded++
      for (const key of SUMMED) sums[key] += history[key]
      for (const [how, count] of Object.entries(history.unfinished)) unfinished[how] = (unfinished[how] ?? 0) + count
      const { salting = 'plain' } = history.scale
      saltings[salting] = (saltings[salting] ?? 0) + 1
      for (const kind of history.faults) faults[kind] = (faults[kind] ?? 0) + 1
      if (history.findings.length > 0) failures.push(describeFailure(history))
    },
    fail: (seed, largest, why) =>
      void failures.push(describeFailure({ seed, scale: drawScale(seed, largest), findings: [why], faults: [] })),
    sum: () => ({
      ...counts,
      ...sums,
      unfinished: { ...unfinished },
      faults: { ...faults },
      saltings: { ...saltings },
      failures: [...failures],
    }),
  }
}

/** Runs the histories of all seeds in this process. */
export async function runCampaign(
  seeds: readonly string[],
  largest: Scale,
  onHistory: (history: History) => void,
): Promise<Campaign> {
  const core = await loadCore()
  const tally = createTally()
  for (const seed of seeds) {
    const started = process.cpuUsage()
    const history = await runHistory({ seed, core, scale: drawScale(seed, largest) })
    tally.add(history, cpuSecondsSince(started))
    onHistory(history)
  }
  return tally.sum()
}

export function cpuSecondsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1e6
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
    `  replay: SIM_SEED='${seed}' SIM_SCALE='${JSON.stringify(scale)}' npx vitest run simulation/replay`,
  ].join('\n')
}

/** One line with the figures of a campaign. */
export function describeCampaign(sum: Campaign): string {
  const {
    histories,
    cpuSeconds,
    syncs,
    successions,
    epochsOvertaken,
    liesCaught,
    nodesJoined,
    nodesAdmitted,
    nodesSettled,
  } = sum
  const share = (100 * deferredShare(sum)).toFixed(2)
  const faults = Object.values(sum.faults).reduce((a, b) => a + b, 0)
  const under = Object.entries(sum.saltings).map(([name, count]) => `${count} ${name}`)
  const nodes = `${nodesJoined} nodes applied, ${nodesAdmitted} were admitted, ${nodesSettled} hold shards and sent ${sum.saltsOfJoined} answers with salts`
  return `${histories} histories (${under.join(', ')}), ${(cpuSeconds / histories).toFixed(2)} CPU s each; ${syncs} syncs, ${share} % deferred; ${faults} faults, ${liesCaught} lies caught, ${successions} successions, ${epochsOvertaken} pinned epochs overtaken; ${nodes}; ${sum.failures.length} failures`
}

/** The share of syncs that deferred fixes because they got no salts. */
export function deferredShare({ syncs, unfinished }: Pick<Campaign, 'syncs' | 'unfinished'>): number {
  return syncs === 0 ? 0 : (unfinished.deferred ?? 0) / syncs
}
