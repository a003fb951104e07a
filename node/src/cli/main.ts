/**
 * `geotrace`: the commands of DESIGN §10, one file each. A FederationError becomes one sentence, the next step and
 * exit 1, a wrong command line exit 2; anything else is a fault of ours and keeps its stack.
 */
import { isFederationError } from '@geotrace/core-wasm/wire'
import { Command, CommanderError } from 'commander'
import { NEXT_STEPS } from './terminal/next-steps.ts'
import { type Output, terminal } from './terminal/output.ts'
import { VERSION } from './terminal/version.ts'

type MakeCommand = (out: Output) => Command

/** Loaded when it is named: libp2p, level and the client take a second of CPU, which `status` has no use for. */
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

/** Runs one command line; sets `process.exitCode`. */
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

/** The command of that name, or all of them when there is none. */
export async function geotrace(out: Output, name?: string): Promise<Command> {
  const program = new Command('geotrace')
    .version(VERSION)
    .description('Contact tracing from GPS in which nobody learns where anyone was')
  const wanted = name !== undefined && Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS)
  for (const load of wanted) program.addCommand((await load())(out))
  return throwing(program)
}

/** A wrong command line becomes an error of ours at every depth; commander hands that on only to what it made itself. */
function throwing(command: Command): Command {
  for (const child of command.commands) throwing(child)
  return command.exitOverride().showHelpAfterError('(add --help for the options)')
}
