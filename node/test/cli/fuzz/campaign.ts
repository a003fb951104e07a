/** Draws command lines, runs them and judges their outcomes. */
import { wholeProgram } from '../captured.ts'
import { type Drawn, drawing, seededDraw } from './draw.ts'
import { judge } from './judge.ts'
import type { Machine } from './machine.ts'
import type { Places } from './places.ts'

interface CampaignInit {
  places: Places
  machine: Machine
  count: number
  seed: number
  /** Leaves out command lines that this machine cannot run. */
  isWanted?: (drawn: Drawn) => boolean
}
export interface CampaignResult {
  /** One line for each command line with a wrong outcome. */
  findings: readonly string[]
  /** How many command lines ended with each exit code. */
  codes: Readonly<Record<string, number>>
}

const WORD_MAX = 60
const SHOWN_MAX = 600
/** A command that takes longer is worth a look: it waits for something. */
const SLOW_MS = 10_000

/** Prints each finding at once when `FUZZ_PRINT` is set, because a long campaign is worth watching. */
export async function fuzz({ places, machine, count, seed, isWanted }: CampaignInit): Promise<CampaignResult> {
  const next = drawing(await wholeProgram(), places, seededDraw(seed))
  const findings: string[] = []
  const codes: Record<string, number> = {}
  for (let ran = 0; ran < count; ) {
    const drawn = next()
    if (isWanted?.(drawn) === false) continue
    ran++
    const startedMs = Date.now()
    const outcome = await machine.run(drawn.argv)
    const tookMs = Date.now() - startedMs
    codes[outcome.code] = (codes[outcome.code] ?? 0) + 1
    const problems = judge(drawn, outcome)
    const words = `${drawn.argv.map(shorten).join(' ')} → ${outcome.code}`
    const line = readable(
      `${words}: ${problems.join(' | ')}: ${(outcome.stderr || outcome.stdout).slice(-SHOWN_MAX)}`,
      places,
    )
    if (problems.length > 0) findings.push(line)
    if (process.env.FUZZ_PRINT && (problems.length > 0 || tookMs > SLOW_MS))
      process.stderr.write(`${ran} (${tookMs} ms) ${line}\n`)
  }
  return { findings, codes }
}

function shorten(word: string): string {
  const shown = word.length > WORD_MAX && !word.includes('geotrace-fuzz') ? `${word.slice(0, 20)}…${word.length}` : word
  return /^[\w./:=-]+$/.test(shown) ? shown : JSON.stringify(shown)
}

function readable(line: string, { root }: Places): string {
  return line.replaceAll(root, '')
}
