/**
 * The `geotrace` command line. A FederationError is printed as one sentence with the next step and ends with exit code 1.
 * A wrong command line ends with exit code 2. Any other error is a fault of this program and keeps its stack.
 */
import { isFederationError } from '@geotrace/core-wasm/wire'
import { Command, CommanderError } from 'commander'
import { NEXT_STEPS } from './terminal/next-steps.ts'
import { type Output, terminal } from './terminal/output.ts'
import { VERSION } from './terminal/version.ts'

type MakeCommand = (out: Output) => Command

/** A command is loaded when it is named, because libp2p, level and the client take a second of CPU to load. */
const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  salt: async () => (await import('./salt/command.ts')).saltCommand,
  central: async () => (await import('./central/command.ts')).centralCommand,
  federation: async () => (await import('./federation/command.ts')).federationCommand,
  codes: async () => (await import('./central/codes-command.ts')).codesCommand,
  reports: async () => (await import('./central/reports-command.ts')).reportsCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  doctor: async () => (await import('./doctor/command.ts')).doctorCommand,
  replay: async () => (await import('./replay/command.ts')).replayCommand,
  demo: async () => (await import('./demo/command.ts')).demoCommand,
}

/** Runs one command line and sets `process.exitCode`. */
export async function main(argv: readonly string[], out: Output = terminal()): Promise<void> {
  try {
    const program = await geotrace(out, argv[0])
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else if (isFederationError(error)) {
      out.note(`geotrace: ${error.message}`)
      const next = NEXT_STEPS[error.code]
      if (next !== undefined) out.note(`  → ${next}`)
      process.exitCode = error.code === 'COMMAND_INVALID' ? 2 : 1
    } else throw error
  }
}

/** The program with the command of that name, or with all commands when `name` is undefined or unknown. */
export async function geotrace(out: Output, name?: string): Promise<Command> {
  const program = new Command('geotrace')
    .version(VERSION)
    .description('Contact tracing from GPS; positions never leave the phone')
  const wanted = name !== undefined && Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS)
  for (const load of wanted) program.addCommand((await load())(out))
  return throwing(program)
}

/** Makes commander throw at every depth. Commander passes this setting on only to subcommands that it creates itself. */
function throwing(command: Command): Command {
  for (const child of command.commands) throwing(child)
  return command.exitOverride().showHelpAfterError('Run the command with --help to see its arguments and options.')
}
