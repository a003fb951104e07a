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
  readonly syncs: number
  readonly successions: number
  /** Histories with at least one of them. */
  readonly succeeded: number
  /** Syncs that ended in another way than `done`, by how. */
  readonly unfinished: Readonly<Record<string, number>>
  /** How often each kind struck. */
  readonly faults: Readonly<Record<string, number>>
  readonly failures: readonly string[]
}

/** Seeds are `prefix-0`, `prefix-1` … unless listed. */
export async function runCampaign(seeds: readonly string[], largest: Scale): Promise<Campaign> {
  const core = await loadCore()
  const sum = {
    histories: 0,
    events: 0,
    salts: 0,
    rows: 0,
    marks: 0,
    fixesLost: 0,
    liesCaught: 0,
    syncs: 0,
    successions: 0,
    succeeded: 0,
  }
  const unfinished: Record<string, number> = {}
  const faults: Record<string, number> = {}
  const failures: string[] = []
  for (const seed of seeds) {
    const history = await runHistory({ seed, core, scale: drawScale(seed, largest) })
    sum.histories++
    for (const key of [
      'events',
      'salts',
      'rows',
      'marks',
      'fixesLost',
      'liesCaught',
      'syncs',
      'successions',
    ] as const) {
      sum[key] += history[key]
    }
    if (history.successions > 0) sum.succeeded++
    for (const [how, count] of Object.entries(history.unfinished)) unfinished[how] = (unfinished[how] ?? 0) + count
    for (const kind of history.faults) faults[kind] = (faults[kind] ?? 0) + 1
    if (history.findings.length > 0) failures.push(describeFailure(history))
  }
  return { ...sum, unfinished, faults, failures }
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

/** Of all syncs, those that had to leave fixes for later because no salts could be had. */
export function deferredShare({ syncs, unfinished }: Pick<Campaign, 'syncs' | 'unfinished'>): number {
  return (unfinished.deferred ?? 0) / syncs
}
