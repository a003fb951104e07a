/** The command line of `geotrace central init | run`, the authority's central peer. node/CENTRAL.md. */
import { Command } from 'commander'
import { SEED_PROFILE } from '../../central/risk/risk-profile.ts'
import { CENTRAL_PORTS } from '../identity/addresses.ts'
import { type InitOptions, initialise } from '../identity/init.ts'
import { runOptions } from '../process/run-options.ts'
import { collect, defaultDir, examples, portNumber, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

export function centralCommand(out: Output): Command {
  const init = new Command('init')
    .description('create the keys of the central peer and print its card')
    .option('--dir <dir>', 'directory of keys and deposits', defaultDir('central'))
    .option('--operator <name>', 'operator name of the authority (default: authority)')
    .option('--host <name or ip>', 'public name or IP address of this machine')
    .option('--port <n>', 'TCP port, for apps', portNumber, CENTRAL_PORTS.tcp)
    .option('--ws-port <n>', 'WebSocket port, for browsers', portNumber, CENTRAL_PORTS.ws)
    .option('--https-port <n>', 'HTTPS and secure WebSocket port, for pages loaded over https', portNumber)
    .option('--address <multiaddr>', 'complete address instead of --host; may be repeated', collect)
    .action((options: InitOptions) => initialise(options, 'central', out))
  const run = runOptions(new Command('run').description('run the central peer until Ctrl-C'), 'central')
    .option('--degrees <k>', 'number of contact steps that a report marks', wholeNumber, SEED_PROFILE.degrees)
    .action(async (options) => await (await import('./run.ts')).runCentral(options, out))
  return new Command('central')
    .description('run the central peer as the authority')
    .addCommand(examples(init, 'geotrace central init --host central.example.org > central.json'))
    .addCommand(examples(run, 'geotrace central run', 'geotrace central run --degrees 2 --health-port 4391'))
}
