/** The command line of `geotrace doctor`. node/README.md "When something is wrong". */
import { Command } from 'commander'
import { defaultDir, examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import type { DoctorOptions } from './examine.ts'

export function doctorCommand(out: Output): Command {
  const command = new Command('doctor')
    .description('check a salt node, its machine and its network, whether it runs or not; exit code 1 on a problem')
    .option('--dir <dir>', 'directory of the node', defaultDir('salt'))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .option('--json', 'print one JSON object')
    .action(async (options: DoctorOptions) => await (await import('./examine.ts')).examine(options, out))
  return examples(command, 'geotrace doctor', 'geotrace doctor --json | jq ".findings[] | select(.next)"')
}
