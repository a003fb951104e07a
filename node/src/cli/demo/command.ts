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
  examples(command, 'geotrace demo --once', 'geotrace demo --speed 20')
}
