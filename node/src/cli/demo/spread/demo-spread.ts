/**
 * `geotrace demo spread`: 300 invented people report through real syncs within one day, and two volunteers count where they
 * have been. A day does not end in a demo, so this federation runs in one process on a simulated clock. Afterwards the clock goes
 * with the time, and the web app shows the map. The demo keeps no file.
 */
import '../../../platform/polyfill.ts'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toSpreadView } from '@geotrace/core-wasm/spread'
import type { LocalFederation } from '../../../local/local-federation.ts'
import type { WebServer } from '../../../local/web-server.ts'
import { systemRandom } from '../../../platform/random.ts'
import { cellToPlace } from '../../spread/geometry.ts'
import { viewLines } from '../../spread/text.ts'
import type { Output } from '../../terminal/output.ts'
import { createDemoDirectory, removeLeftovers } from '../directory.ts'
import { simulateVisitor } from '../residents.ts'
import { aborted, stopSignal } from '../stop-signal.ts'
import { startDemoWeb } from '../web.ts'
import { type CountedDay, countDay } from './counted-day.ts'

const CELLS_SHOWN = 10
const TICK_MS = 1_000

interface DemoSpreadOptions {
  once?: boolean
  reports: number
  webPort: number
}

export async function demoSpread(options: DemoSpreadOptions, out: Output): Promise<void> {
  const stop = stopSignal()
  removeLeftovers()
  const dir = createDemoDirectory()
  const running: { federation?: LocalFederation; web?: WebServer } = {}
  try {
    const run = runDemo(options, dir, running, stop, out).catch((error) => {
      if (!stop.aborted) throw error
    })
    await Promise.race([run, aborted(stop)])
  } finally {
    out.progress('stopping …')
    await running.web?.stop()
    await running.federation?.stop()
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
  }
  out.note('All files of the demo are deleted.')
}

async function runDemo(
  { once = false, reports, webPort }: DemoSpreadOptions,
  dir: string,
  running: { federation?: LocalFederation; web?: WebServer },
  stop: AbortSignal,
  out: Output,
): Promise<void> {
  out.line('Geo Trace: a spread on this machine only, with published keys')
  const onFederation = (federation: LocalFederation): void => {
    running.federation = federation
  }
  const say = (text: string): void => out.progress(text)
  const day = await countDay({ dir, people: reports, nowMs: Date.now(), say, onFederation })
  if (stop.aborted) return
  tell(day, reports, out)
  if (once) return
  const file = join(dir, 'federation.json')
  writeFileSync(file, `${JSON.stringify(day.federation.manifest)}\n`, { mode: 0o600 })
  const visitor = simulateVisitor(Date.now(), systemRandom)
  const web = await startDemoWeb({ manifest: day.federation.manifest, visitor, port: webPort })
  if (web !== undefined) running.web = web
  out.line()
  if (web !== undefined) out.line(`On the map of the web app:   ${web.url}#/map`)
  out.line(`In another terminal:         npx geotrace spread show --federation ${file}`)
  out.line('Ctrl-C stops the federation and deletes all files of the demo.')
  await tick(day, stop)
}

function tell({ federation, period, rule, spread }: CountedDay, reports: number, out: Output): void {
  const { operators } = rule.certified.roster
  const [mixer, teller] = [rule.mixer, rule.teller].map(({ operator }) => operators[operator]!.name)
  const { syncs } = federation.central.status()
  const view = toSpreadView({ spread, period, rule }, cellToPlace, Date.now())
  out.json({ reports, syncs, period, mixer, teller, view })
  out.line(
    `${reports} invented people reported within one day, each with a sealed slip in an ordinary sync. ${mixer} mixed the slips, ${teller} counted them.`,
  )
  out.line()
  for (const line of viewLines(view, CELLS_SHOWN)) out.line(line)
}

/** The clock of the federation goes with the time from now on, until the demo is stopped. */
async function tick({ clock }: CountedDay, stop: AbortSignal): Promise<void> {
  const stopped = aborted(stop)
  while (!stop.aborted) {
    if (Date.now() > clock.now()) await clock.advanceTo(Date.now())
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, TICK_MS).unref())])
  }
}
