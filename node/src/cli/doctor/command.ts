/** The command line of `geotrace doctor`. node/README.md "When something is wrong". */
import { Command } from 'commander'
import { defaultDir, examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import type { DoctorOptions } from './examine.ts'

export function doctorCommand(out: Output): Command {
  const command = new Command('doctor')
    .description('check a salt node and what it needs, running or not; exit 1 when something fails')
    .option('--dir <dir>', 'its directory', defaultDir('salt'))
    .option('--federation <file>', 'the manifest (default: federation.json in the directory)')
    .option('--json', 'one JSON object')
    .action(async (options: DoctorOptions) => await (await import('./examine.ts')).examine(options, out))
  return examples(command, 'geotrace doctor', 'geotrace doctor --json | jq ".findings[] | select(.next)"')
}
