/** The command line of `geotrace demo`, which `npm start` runs. */
import type { Command } from 'commander'
import { DEGREES_MAX } from '../../central/risk/risk-profile.ts'
import { examples, portNumber, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { addNodeCommand, killCommand } from './control.ts'
import type { DemoOptions } from './demo.ts'

/** Free on most machines. The demo uses any free port when this one is taken. */
const WEB_PORT = 4100
/** At a higher speed a period is shorter than the votes of a loaded machine take. */
const SPEED_MAX = 40

export function demoCommand(command: Command, out: Output): void {
  command
    .option('--once', 'end after the story')
    .option('--web-port <port>', 'port of the web app', portNumber, WEB_PORT)
    .option('--degrees <k>', 'number of contact steps that the report marks', wholeNumber(1, DEGREES_MAX), 2)
    .option(
      '--speed <n>',
      'speed of the federation’s time, to watch rosters follow each other',
      wholeNumber(1, SPEED_MAX),
      1,
    )
    .action(async (options: DemoOptions) => await (await import('./demo.ts')).demo(options, out))
  addNodeCommand(command.command('add-node'), out)
  killCommand(command.command('kill'), out)
  spreadCommand(command.command('spread'), out)
  examples(command, 'geotrace demo --once', 'geotrace demo --speed 20')
}

/** Fewer do not make a map. More take minutes. */
const [REPORTS_MIN, REPORTS_MAX] = [60, 3_000]
const REPORTS = 300

function spreadCommand(command: Command, out: Output): void {
  command
    .description('let invented people report for a day, and show where they have been as counted by two volunteers')
    .option('--once', 'end after the counts')
    .option('--reports <n>', 'people who report', wholeNumber(REPORTS_MIN, REPORTS_MAX), REPORTS)
    .option('--web-port <port>', 'port of the web app', portNumber, WEB_PORT)
    // The demo has two of these options too, and takes them wherever they stand.
    .action(async () => await (await import('./spread/demo-spread.ts')).demoSpread(command.optsWithGlobals(), out))
  examples(command, 'geotrace demo spread --once', 'geotrace demo spread')
}
