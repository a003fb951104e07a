/** The command line of `geotrace demo`, which `npm start` runs. */
import { Command } from 'commander'
import { examples, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { addNodeCommand, killCommand } from './control.ts'
import { type DemoOptions, demo } from './demo.ts'

/** Free on most machines. The demo uses any free port when this one is taken. */
const WEB_PORT = 4100

export function demoCommand(out: Output): Command {
  const command = new Command('demo')
    .description('found and run a whole federation on this machine')
    .option('--once', 'end after the story')
    .option('--web-port <port>', 'port of the web app', wholeNumber, WEB_PORT)
    .option('--degrees <k>', 'number of contact steps that the report marks', wholeNumber, 2)
    .option('--speed <n>', 'speed of the federation’s time, to watch rosters follow each other', wholeNumber, 1)
    .action((options: DemoOptions) => demo(options, out))
    .addCommand(addNodeCommand(out))
    .addCommand(killCommand(out))
  return examples(command, 'geotrace demo --once', 'geotrace demo --speed 20')
}
