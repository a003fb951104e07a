/**
 * The `geotrace` command line and its outermost edge: no error leaves `main`. node/README.md "Exit codes".
 * A failure is printed as one sentence with the next step, with `--json` as one JSON object; terminal/failure.ts has the
 * exit codes. A wrong command line throws COMMAND_INVALID here.
 */
import { Command, CommanderError, Option } from 'commander'
import { invalidCommand } from './terminal/invalid-command.ts'
import { LOG_LEVELS, type Output, onOutputError, terminal } from './terminal/output.ts'
import { VERSION } from './terminal/version.ts'

interface Entry {
  description: string
  /** Returns the function that gives the command its options and actions. */
  load: () => Promise<(command: Command, out: Output) => void>
}

/** Commander's words for a value that its reader refused. */
const INVALID_VALUE =
  /^(?:option '(?:-\w, )?(--[\w-]+).*?' argument|command-argument value) '([\s\S]*)' is invalid(?: for argument '(.*?)')?\. ([\s\S]*)$/

/** A command is loaded when it is named, because libp2p, level and the client take a second of CPU to load. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  salt: {
    description: 'run a salt node as a volunteer',
    load: async () => (await import('./salt/command.ts')).saltCommand,
  },
  central: {
    description: 'run the central peer as the authority',
    load: async () => (await import('./central/command.ts')).centralCommand,
  },
  federation: {
    description: 'found, join, leave and change a federation',
    load: async () => (await import('./federation/command.ts')).federationCommand,
  },
  codes: {
    description: 'issue, list and revoke report codes as the authority',
    load: async () => (await import('./central/codes-command.ts')).codesCommand,
  },
  reports: {
    description: 'list, try, publish, reject, retract and restore reports as the authority',
    load: async () => (await import('./central/reports-command.ts')).reportsCommand,
  },
  status: {
    description: 'show the state and the counters of a running node',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  doctor: {
    description: 'check a node, its machine and its network, whether it runs or not; exit code 1 on a problem',
    load: async () => (await import('./doctor/command.ts')).doctorCommand,
  },
  verify: {
    description: 'check a build, the web app of a server, or the rosters of a federation; exit code 1 on a difference',
    load: async () => (await import('./verify/command.ts')).verifyCommand,
  },
  spread: {
    description: 'show or export where reporters have been, as the federation published it',
    load: async () => (await import('./spread/command.ts')).spreadCommand,
  },
  replay: {
    description: 'run a whole federation over recorded tracks and print who is marked and why',
    load: async () => (await import('./replay/command.ts')).replayCommand,
  },
  demo: {
    description: 'found and run a whole federation on this machine',
    load: async () => (await import('./demo/command.ts')).demoCommand,
  },
}

/** Runs one command line as this process: sets its exit code, and reports an error that no command awaits. */
export async function run(argv: readonly string[]): Promise<void> {
  const out = terminal(argv.includes('--json'))
  const end = async (error: unknown): Promise<void> => {
    const { reportFailure } = await import('./terminal/failure.ts')
    process.exit(reportFailure(error, argv.includes('debug'), out))
  }
  onOutputError(end)
  process.on('uncaughtException', end)
  process.exitCode = await main(argv, out)
}

/** Runs one command line and returns its exit code: 0, or 1 for a failure, or 2 for a wrong command line. */
export async function main(argv: readonly string[], out: Output): Promise<number> {
  const program = geotrace(out)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return out.exitCode
  } catch (error) {
    // The help and the version are printed already.
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const { reportFailure } = await import('./terminal/failure.ts')
    return reportFailure(error, program.opts().logLevel === 'debug', out, program.args[0])
  }
}

/** The program. Its commands are empty until they are named. */
export function geotrace(out: Output): Command {
  const program = new Command('geotrace')
    .version(VERSION)
    .description('Contact tracing from GPS; positions never leave the phone')
    .option('--json', 'print one JSON object, also on a failure')
    .addOption(new Option('--log-level <level>', 'entries of the log').choices(LOG_LEVELS).default('info'))
    .hook('preSubcommand', async (_, command) => await fill(command, out))
  for (const [name, { description }] of Object.entries(COMMANDS)) program.command(name).description(description)
  return settle(program, out)
}

/** Gives a command of the program its options and actions. */
export async function fill(command: Command, out: Output): Promise<void> {
  const make = await COMMANDS[command.name()]!.load()
  make(command, out)
  settle(command, out)
}

/** Makes commander throw at every depth instead of printing, so that every failure is printed in one place. */
function settle(command: Command, out: Output): Command {
  for (const child of command.commands) settle(child, out)
  return command
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => out.text(text.trimEnd()),
      writeErr() {},
    })
    .exitOverride((error) => {
      if (error.exitCode === 0) throw error
      refuse(command, error)
    })
}

function refuse(command: Command, { code, message }: CommanderError): never {
  const path = toPath(command)
  const next = `run \`${path} --help\` to see its arguments and options`
  if (code !== 'commander.help') invalidCommand(toSentence(message), next)
  const names = command.commands.map((child) => child.name()).join(', ')
  invalidCommand(`expected a command after \`${path}\`: ${names}`, next)
}

function toPath(command: Command): string {
  return command.parent === null ? command.name() : `${toPath(command.parent)} ${command.name()}`
}

/**
 * The words of commander as one sentence:
 * `error: unknown option '--prot'\n(Did you mean --port?)` → `unknown option '--prot' (Did you mean --port?)`
 * `error: option '--port <n>' argument 'x' is invalid. Expected a port.` → `--port expected a port, got x`
 */
function toSentence(message: string): string {
  const bare = message.replace(/^error: /, '')
  const [, option, value = '', argument, rule = ''] = INVALID_VALUE.exec(bare) ?? []
  const name = option ?? argument
  if (name === undefined) return bare.replace(/\s*\n\s*/g, ' ').replace(/\.$/, '')
  const expected = rule.replace(/^Allowed choices are /, 'expected one of ').replace(/^Expected/, 'expected')
  return `${name} ${expected.replace(/\.$/, '')}, got ${value === '' ? 'nothing' : value}`
}
