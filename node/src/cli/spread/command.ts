/**
 * `geotrace spread show | export | status`: where reporters have been, as the federation published it. node/README.md "Where
 * reporters have been". Everybody may ask. Exit code 1 when a peer gave counts that are not those of the teller.
 * Throws COMMAND_INVALID, MANIFEST_INVALID, PEER_UNREACHABLE.
 */
import { writeFileSync } from 'node:fs'
import { type SpreadView, spreadsToCsv, spreadsToGeoJson, toSpreadView } from '@geotrace/core-wasm/spread'
import { bytesToHex, DAY_MS, manifestToId } from '@geotrace/core-wasm/wire'
import { type Command, InvalidArgumentError } from 'commander'
import { plural } from '../../admin/page/words.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples, readManifest, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { asStranger, toPeers } from '../verify/chain.ts'
import { type AskedSpreads, askSpreads } from './ask.ts'
import { cellToPlace, cellToRing } from './geometry.ts'
import { missingLine, NO_SPREAD, parameterLines, runningLine, viewLines } from './text.ts'

const CELLS_SHOWN = 20
/** All cells that a spread can have. */
const CELLS_MAX = 12_005
/** The last day of a period's number on the wire. */
const PERIOD_MAX = 0xffffffff

interface AskOptions {
  federation: string
  peer: string[]
  period?: number
}
interface ShowOptions extends AskOptions {
  cells: number
}
interface ExportOptions extends AskOptions {
  geojson?: string
  csv?: string
}
interface Answer extends Pick<AskedSpreads, 'missing' | 'running' | 'faults' | 'parameters'> {
  federation: string
  views: SpreadView[]
}

export function spreadCommand(command: Command, out: Output): void {
  const show = askOptions(command.command('show'))
    .description('show where reporters have been in the last 14 days: clusters, cells, and how it was counted')
    .option('--cells <n>', 'cells to show, those with most people first', wholeNumber(1, CELLS_MAX), CELLS_SHOWN)
    .action(async (options: ShowOptions) => printShow(await ask(options, out), options.cells, out))
  examples(show, 'geotrace spread show --federation federation.json', 'geotrace spread show --period 2026-11-20')
  const save = askOptions(command.command('export'))
    .description('write the shown cells of the last 14 days to a file for other programs')
    .option('--geojson <file>', 'GeoJSON, a polygon for each cell')
    .option('--csv <file>', 'comma-separated values')
    .action(async (options: ExportOptions) => {
      if (options.geojson === undefined && options.csv === undefined)
        invalidCommand('expected a file to write', 'name one: --geojson FILE or --csv FILE')
      writeExport(await ask(options, out), options, out)
    })
  examples(save, 'geotrace spread export --geojson spread.geojson', 'geotrace spread export --csv spread.csv')
  const status = askOptions(command.command('status'), false)
    .description('show what the parameters of the federation allow: how many people a map needs')
    .action(async (options: AskOptions) => printStatus(await ask(options, out), out))
  examples(status, 'geotrace spread status --federation federation.json')
}

function askOptions(command: Command, withPeriod = true): Command {
  command
    .option('--federation <file>', 'manifest of the federation', 'federation.json')
    .option('--peer <peer...>', 'ask these peers: operators of the manifest, or addresses that end in /p2p/PEER-ID', [])
  return withPeriod ? command.option('--period <day>', 'only the period that begins on this day', day) : command
}

/** A UTC day, as a date or as the number that PROTOCOL.md gives it. */
function day(text: string): number {
  const number = /^\d{4}-\d\d-\d\d$/.test(text)
    ? Date.parse(text) / DAY_MS
    : /^\d{1,10}$/.test(text)
      ? Number(text)
      : -1
  if (Number.isInteger(number) && number >= 0 && number <= PERIOD_MAX) return number
  throw new InvalidArgumentError('Expected a day such as 2026-11-20, or its number since 1970.')
}

async function ask({ federation, peer, period }: AskOptions, out: Output): Promise<Answer> {
  const manifest = readManifest(federation)
  const peers = toPeers(manifest, peer)
  const nowMs = manifestClock(manifest).now()
  const { found, ...rest } = await asStranger((host) => askSpreads(host, manifest, peers, { nowMs, period, out }))
  const views = found.map((item) => toSpreadView(item, cellToPlace, nowMs))
  return { ...rest, federation: bytesToHex(manifestToId(manifest)), views }
}

function printShow(answer: Answer, cellsMax: number, out: Output): void {
  const { views, missing, running } = answer
  out.json(toJson(answer))
  for (const view of views) {
    for (const line of viewLines(view, cellsMax)) out.line(line)
    out.line()
  }
  for (const period of missing) out.line(missingLine(period))
  if (running !== undefined) out.line(runningLine(running))
  endWith(answer, out)
}

function writeExport(answer: Answer, { geojson, csv }: ExportOptions, out: Output): void {
  const { views } = answer
  out.json({ ...toJson(answer), ...(geojson && { geojson }), ...(csv && { csv }) })
  if (views.length === 0) {
    out.line('There are no counts to export, so no file was written: geotrace spread show')
    endWith(answer, out)
    return
  }
  if (geojson !== undefined) writeFileSync(geojson, `${JSON.stringify(spreadsToGeoJson(views, cellToRing))}\n`)
  if (csv !== undefined) writeFileSync(csv, spreadsToCsv(views))
  const cells = views.reduce((sum, view) => sum + view.cells.length, 0)
  for (const file of [geojson, csv]) {
    if (file !== undefined) out.line(`${plural(cells, 'cell')} of ${plural(views.length, 'period')} written to ${file}`)
  }
  endWith(answer, out)
}

function printStatus(answer: Answer, out: Output): void {
  const { parameters, running, views } = answer
  out.json(toJson(answer))
  if (parameters === undefined) out.line(NO_SPREAD)
  else for (const line of parameterLines(parameters)) out.line(line)
  if (views[0] !== undefined) {
    const { cells, period } = views[0]
    out.line(`The newest period, ${period}, shows ${plural(cells.length, 'cell')}: geotrace spread show`)
  }
  if (running !== undefined) out.line(runningLine(running))
  endWith(answer, out)
}

function endWith({ parameters, views, missing, running, faults }: Answer, out: Output): void {
  const isEmpty = views.length === 0 && missing.length === 0 && running === undefined
  if (isEmpty && parameters === undefined) out.note(NO_SPREAD)
  else if (isEmpty)
    out.note('No period has begun yet that has counts. Periods begin a day after the rosters allow them.')
  for (const fault of faults) out.line(`Not verified: ${fault}`)
  if (faults.length === 0) return
  out.note('Ask other peers: geotrace spread show --peer PEER')
  out.fails()
}

function toJson({ federation, views, missing, running, faults, parameters }: Answer): object {
  return {
    ok: faults.length === 0,
    federation,
    parameters: parameters ?? null,
    periods: views,
    missing: missing.map(({ period }) => period),
    running: running?.period ?? null,
    faults,
  }
}
