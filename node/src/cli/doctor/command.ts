/** The command line of `geotrace doctor`. node/README.md "When something is wrong". */
import type { Command } from 'commander'
import { defaultDir, examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import type { DoctorOptions } from './examine.ts'

export function doctorCommand(command: Command, out: Output): void {
  command
    .option('--dir <dir>', 'directory of the node', defaultDir('salt'))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .action(async (options: DoctorOptions) => await (await import('./examine.ts')).examine(options, out))
  examples(command, 'geotrace doctor', 'geotrace doctor --json | jq ".findings[] | select(.next)"')
}
