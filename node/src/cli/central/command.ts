/** The command line of `geotrace central init | run`, the authority's central peer. node/CENTRAL.md. */
import type { Command } from 'commander'
import { DEGREES_MAX, SEED_PROFILE } from '../../central/risk/risk-profile.ts'
import { CENTRAL_PORTS } from '../identity/addresses.ts'
import { runOptions } from '../process/run-options.ts'
import { collect, defaultDir, examples, portNumber, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

export function centralCommand(command: Command, out: Output): void {
  const init = command
    .command('init')
    .description('create the keys of the central peer and print its card')
    .option('--dir <dir>', 'directory of keys and deposits', defaultDir('central'))
    .option('--operator <name>', 'operator name of the authority (default: authority)')
    .option('--host <name or ip>', 'public name or IP address of this machine')
    .option('--port <n>', 'TCP port, for apps', portNumber, CENTRAL_PORTS.tcp)
    .option('--ws-port <n>', 'WebSocket port, for browsers', portNumber, CENTRAL_PORTS.ws)
    .option('--https-port <n>', 'HTTPS and secure WebSocket port, for pages loaded over https', portNumber)
    .option('--address <multiaddr>', 'complete address instead of --host; may be repeated', collect)
    .action(async (options) => await (await import('../identity/init.ts')).initialise(options, 'central', out))
  examples(init, 'geotrace central init --host central.example.org > central.json')
  const run = runOptions(command.command('run').description('run the central peer until Ctrl-C'), 'central')
    .option(
      '--degrees <k>',
      'number of contact steps that a report marks',
      wholeNumber(1, DEGREES_MAX),
      SEED_PROFILE.degrees,
    )
    .option(
      '--store-ceiling <mib>',
      'MiB that the store may take; new users are refused first',
      wholeNumber(1, 1 << 30),
    )
    .option('--new-store', 'begin with an empty store, because the old one is lost for good')
    .action(async (_, run: Command) => await (await import('./run.ts')).runCentral(run.optsWithGlobals(), out))
  examples(run, 'geotrace central run', 'geotrace central run --degrees 2 --health-port 4391')
}
