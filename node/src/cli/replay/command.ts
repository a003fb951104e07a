/** The command line of `geotrace replay`. README "Replay". */
import { DEFAULT_PARAMETERS } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { DEGREES_MAX } from '../../central/risk/risk-profile.ts'
import { examples, moment, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { saltingOption } from '../terminal/salting.ts'
import type { ReplayOptions } from './replay.ts'

export function replayCommand(command: Command, out: Output): void {
  command
    .argument('<path...>', 'track files, or folders in which each file or folder is one person')
    .requiredOption('--report <id>', 'person who reports: the name of the folder or file')
    .option('--at <time>', 'time of the report (default: the first sync after the last fix)', moment)
    .option('--degrees <k>', 'number of contact steps to mark', wholeNumber(1, DEGREES_MAX), 1)
    .addOption(saltingOption())
    .option(
      '--threshold <n>',
      'replicas of five that must answer (default: 3)',
      wholeNumber(1, DEFAULT_PARAMETERS.threshold),
    )
    .option('--no-redaction', 'turn off the redaction by home, zones and speed')
    .action(
      async (paths: string[], options: ReplayOptions) =>
        await (await import('./replay.ts')).replay(paths, options, out),
    )
  examples(command, 'geotrace replay ./tracks --report anna', 'geotrace replay ./tracks --report anna --salting plain')
}
