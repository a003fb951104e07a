/**
 * `geotrace`: the commands of DESIGN §10, one file each. A FederationError becomes one sentence and exit 1,
 * a wrong command line exit 2; anything else is a fault of ours and keeps its stack.
 */
import '../polyfill.ts'
import { isFederationError } from '@geotrace/core-wasm/wire'
import { Command, CommanderError } from 'commander'
import { centralCommand } from './central.ts'
import { codesCommand } from './codes.ts'
import { demoCommand } from './demo/command.ts'
import { federationCommand } from './federation/command.ts'
import { type Output, terminal } from './output.ts'
import { replayCommand } from './replay/command.ts'
import { reportsCommand } from './reports.ts'
import { saltCommand } from './salt.ts'
import { statusCommand } from './status.ts'

/** Runs one command line; sets `process.exitCode`. */
export async function main(argv: readonly string[], out: Output = terminal()): Promise<void> {
  const program = new Command('geotrace')
    .description('Contact tracing from GPS in which nobody learns where anyone was')
    .showHelpAfterError('(add --help for the options)')
    .exitOverride()
  for (const command of [
    saltCommand,
    centralCommand,
    federationCommand,
    codesCommand,
    reportsCommand,
    statusCommand,
    replayCommand,
    demoCommand,
  ]) {
    program.addCommand(command(out).exitOverride())
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
    else if (isFederationError(error)) {
      out.note(`geotrace: ${error.message}`)
      process.exitCode = error.code === 'COMMAND_INVALID' ? 2 : 1
    } else throw error
  }
}
