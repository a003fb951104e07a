/** The command line of `geotrace federation …`. node/README.md "Join a running federation". */
import type { Command } from 'commander'
import type { Output } from '../terminal/output.ts'
import { completeCommand } from './complete.ts'
import { foundCommand } from './found.ts'
import { joinCommand, leaveCommand } from './join.ts'
import { logCommand } from './log.ts'
import { oddsCommand } from './odds.ts'
import { openCommand } from './open.ts'
import { proposeCommand } from './propose.ts'
import { voteCommand } from './vote.ts'

export function federationCommand(command: Command, out: Output): void {
  foundCommand(command.command('found'), out)
  openCommand(command.command('open'), out)
  completeCommand(command.command('complete'), out)
  joinCommand(command.command('join'), out)
  leaveCommand(command.command('leave'), out)
  proposeCommand(command.command('propose'), out)
  voteCommand(command.command('vote'), out)
  logCommand(command.command('log'), out)
  oddsCommand(command.command('odds'), out)
}
