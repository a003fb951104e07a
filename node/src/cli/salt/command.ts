/** The command line of `geotrace salt …`, a volunteer's salt node. node/README.md. */
import type { Command } from 'commander'
import { SALT_PORTS } from '../identity/addresses.ts'
import { capOptions, runOptions } from '../process/run-options.ts'
import { collect, defaultDir, examples, portNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

export function saltCommand(command: Command, out: Output): void {
  const dir = ['--dir <dir>', 'directory of keys and tables', defaultDir('salt')] as const
  const init = command
    .command('init')
    .description('create the keys of a node and print its card')
    .option(...dir)
    .option('--operator <name>', 'your operator name: lower-case letters, digits, dots, dashes (default: a pseudonym)')
    .option('--host <name or ip>', 'public name or IP address of this machine')
    .option('--port <n>', 'TCP port, for apps', portNumber, SALT_PORTS.tcp)
    .option('--ws-port <n>', 'WebSocket port, for browsers', portNumber, SALT_PORTS.ws)
    .option('--https-port <n>', 'HTTPS and secure WebSocket port, for pages loaded over https', portNumber)
    .option('--address <multiaddr>', 'complete address instead of --host; may be repeated', collect)
    .action(async (options) => await (await import('../identity/init.ts')).initialise(options, 'salt', out))
  examples(init, 'geotrace salt init --host salt.example.org --operator red-cross > card.json')
  const run = capOptions(runOptions(command.command('run').description('run a node until Ctrl-C'), 'salt')).action(
    async (_, run: Command) => await (await import('./run.ts')).runSalt(run.optsWithGlobals(), out),
  )
  examples(
    run,
    'geotrace salt run',
    'geotrace salt run --https-port 443 --cert fullchain.pem --key privkey.pem',
    'geotrace salt run --port 4111 --health-port 4191 --metrics-port 4192 --max-memory 256',
  )
  const draining = command
    .command('drain')
    .description('stop a node after it has answered its open requests')
    .option(...dir)
    .action(async (options) => await (await import('./drain.ts')).drain(options, out))
  examples(draining, 'geotrace salt drain')
  backupCommands(command, dir, out)
}

function backupCommands(command: Command, dir: readonly [string, string, string], out: Output): void {
  const passphrase = [
    '--passphrase-file <file>',
    'file whose first line is the passphrase (default: ask for it)',
  ] as const
  const saving = command
    .command('backup')
    .description('write the keys and the federation file to one encrypted file; seeds are never included')
    .argument('<file>', 'the new file; an existing file is not overwritten')
    .option(...dir)
    .option(...passphrase)
    .action(async (file: string, options) => await (await import('./backup.ts')).backup(file, options, out))
  examples(saving, 'geotrace salt backup /media/stick/node.geotrace')
  const restoring = command
    .command('restore')
    .description('create a directory from a backup; a directory with keys is not changed')
    .argument('<file>', 'a file that `salt backup` wrote')
    .option(...dir)
    .option(...passphrase)
    .action(async (file: string, options) => await (await import('./backup.ts')).restore(file, options, out))
  examples(restoring, 'geotrace salt restore /media/stick/node.geotrace')
}
