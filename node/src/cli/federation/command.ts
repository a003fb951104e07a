/** The command line of `geotrace federation …`. node/README.md "Join a running federation". */
import { Command } from 'commander'
import type { Output } from '../terminal/output.ts'
import { foundCommand } from './found.ts'
import { joinCommand, leaveCommand } from './join.ts'
import { logCommand } from './log.ts'
import { proposeCommand } from './propose.ts'
import { voteCommand } from './vote.ts'

export function federationCommand(out: Output): Command {
  const command = new Command('federation').description('found, join, leave and change a federation')
  for (const make of [foundCommand, joinCommand, leaveCommand, proposeCommand, voteCommand, logCommand]) {
    command.addCommand(make(out))
  }
  return command
}
