/** The command line of `geotrace central`, the authority's central peer. node/CENTRAL.md. */
import type { Command } from 'commander'
import { DEGREES_MAX } from '../../central/risk/risk-profile.ts'
import { CENTRAL_PORTS } from '../identity/addresses.ts'
import { runOptions } from '../process/run-options.ts'
import { collect, defaultDir, examples, portNumber, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { accountsCommand } from './accounts-command.ts'
import { auditCommand } from './audit.ts'
import { consoleCommand } from './console-command.ts'
import type { CentralDoctorOptions } from './doctor.ts'
import { enrolmentCommand } from './enrolment-command.ts'
import { profileCommand } from './profile-command.ts'
import { secondFactorCommands } from './second-factor-command.ts'
import type { MigrateOptions } from './store/migrate-command.ts'
import { KEY_FILE, type StoreOptions, storeOption, storeOptions } from './store/store-place.ts'

/** A peer takes some 130 MiB and a computation some 400 MiB at most. */
const MEMORY_MIN_MIB = 640
const MEMORY_MAX_MIB = 1_024

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
      'number of contact steps that a report marks (default: that of the profile)',
      wholeNumber(1, DEGREES_MAX),
    )
    .option(
      '--max-memory <MiB>',
      `memory limit, at least ${MEMORY_MIN_MIB}: the peer stops above it`,
      wholeNumber(MEMORY_MIN_MIB, 1 << 20),
      MEMORY_MAX_MIB,
    )
    .option(
      '--store-ceiling <mib>',
      'MiB that the store may take; new users are refused first',
      wholeNumber(1, 1 << 30),
    )
    .option('--control-port <n>', 'port on 127.0.0.1 of the control server (default: chosen by the system)', portNumber)
    .option('--review', 'hold each report until you publish it')
    .option(
      '--breaker <people>',
      'hold a report that would mark more people than this (default: 10,000)',
      wholeNumber(1, 1_000_000_000),
    )
    .option('--store-key-file <file>', KEY_FILE)
    .addOption(storeOption())
    .option(
      '--secret-dir <dir>',
      'folder of the seal keys and of the issuer, which all processes of one store share (default: --dir)',
    )
    .option('--new-store', 'begin with an empty store, because the old one is lost for good')
    .action(async (_, run: Command) => await (await import('./run.ts')).runCentral(run.optsWithGlobals(), out))
  examples(run, 'geotrace central run', 'geotrace central run --degrees 2 --health-port 4391')
  storeCommands(command, out)
  upkeepCommands(command, out)
  auditCommand(storeOptions(command.command('audit')), out)
  accountsCommand(command.command('accounts'), out)
  secondFactorCommands(command, out)
  profileCommand(command.command('profile'), out)
  enrolmentCommand(command.command('enrolment'), out)
  consoleCommand(command.command('console'), out)
}

function upkeepCommands(command: Command, out: Output): void {
  const drain = command
    .command('drain')
    .description('stop the central peer after it has answered the syncs under way')
    .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
    .action(async (options: { dir: string }) => await (await import('./drain.ts')).drainCentral(options, out))
  examples(drain, 'geotrace central drain')
  const doctor = command
    .command('doctor')
    .description('check the central peer, its store and its network, whether it runs or not; exit code 1 on a problem')
    .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .addOption(storeOption())
    .option('--store-key-file <file>', KEY_FILE)
    .action(async (options: CentralDoctorOptions) => await (await import('./doctor.ts')).examineCentral(options, out))
  examples(doctor, 'geotrace central doctor', 'geotrace central doctor --json | jq ".findings[] | select(.next)"')
}

function storeCommands(command: Command, out: Output): void {
  const withDir = (name: string, description: string): Command =>
    storeOptions(command.command(name).description(description))
  const load = () => import('./store/backup-command.ts')
  const backup = withDir(
    'backup <directory>',
    'copy the store to an empty directory, while the peer runs or not',
  ).action(async (to: string, options: StoreOptions) => (await load()).backUp(to, options, out))
  examples(backup, 'geotrace central backup /backup/2026-11-29')
  const restore = withDir(
    'restore [backup]',
    'make the store from a backup, or finish a database that pg_restore brought back; an existing store is kept',
  ).action(async (from: string | undefined, options: StoreOptions) => (await load()).restoreBackup(from, options, out))
  examples(
    restore,
    'geotrace central restore /backup/2026-11-29',
    'geotrace central restore --store postgres://geotrace@db1.example.org/geotrace',
  )
  const verify = withDir(
    'verify [store]',
    'read a whole backup, the store of a stopped peer, or one on PostgreSQL, and report damage',
  ).action(async (store: string | undefined, options: StoreOptions) => (await load()).verify(store, options, out))
  examples(verify, 'geotrace central verify /backup/2026-11-29')
  const migrate = withDir('migrate', 'copy the store of the directory into an empty one on PostgreSQL')
    .option('--from-key-file <file>', 'file of the keys of the store in the directory (default: store.keys in --dir)')
    .action(async (options: MigrateOptions) => (await import('./store/migrate-command.ts')).migrateStore(options, out))
  examples(migrate, 'geotrace central migrate --store postgres://geotrace@db1.example.org/geotrace')
}
