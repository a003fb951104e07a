/** `geotrace demo add-node | kill`: control the demo that runs on this machine. Throws COMMAND_INVALID. */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { runningDemoDirectory } from './directory.ts'
import type { AddedNode, KilledNode } from './routes.ts'

export function addNodeCommand(command: Command, out: Output): void {
  command.description('add the salt node of a new operator to the running demo').action(async () => {
    const added = (await adminRequest(runningDemo(), 'POST', '/add-node')) as AddedNode
    out.line(`Started ${added.name} as process ${added.pid}, with the sponsors ${added.sponsors.join(', ')}.`)
    out.note('The next roster admits it, the second ranks it, the third gives it shards. The demo prints each roster.')
  })
  examples(command, 'geotrace demo add-node')
}

export function killCommand(command: Command, out: Output): void {
  command
    .description('kill a salt node of the running demo by SIGKILL; the demo restarts it after ten seconds')
    .argument('<node>', 'name of the node, or its number from 1')
    .action(async (node: string) => {
      const { name } = (await adminRequest(runningDemo(), 'POST', '/kill', { node })) as KilledNode
      out.line(`Killed ${name}. The other replicas of its shards answer.`)
    })
  examples(command, 'geotrace demo kill 2', 'geotrace demo kill ash')
}

/** Throws COMMAND_INVALID when no demo runs. */
function runningDemo(): string {
  return runningDemoDirectory() ?? invalidCommand('no demo runs on this machine', 'start one with `npm start`')
}
