/** The command line of `geotrace verify …`: what anybody can check. node/README.md "What runs". */
import type { Command } from 'commander'
import type { Output } from '../terminal/output.ts'
import { appCommand } from './app.ts'
import { buildCommand } from './build.ts'
import { chainCommand } from './chain.ts'
import { nodeCommand } from './node.ts'

export function verifyCommand(command: Command, out: Output): void {
  buildCommand(command.command('build'), out)
  appCommand(command.command('app'), out)
  chainCommand(command.command('federation'), out)
  nodeCommand(command.command('node'), out)
}
