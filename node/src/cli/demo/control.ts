/** `geotrace demo add-node | kill`: control the demo that runs on this machine. Throws COMMAND_INVALID. */
import { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { examples, invalidCommand } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { runningDemoDirectory } from './directory.ts'
import type { AddedNode, KilledNode } from './routes.ts'

export function addNodeCommand(out: Output): Command {
  const command = new Command('add-node')
    .description('add the salt node of a new operator to the running demo')
    .action(async () => {
      const added = (await adminRequest(runningDemo(), 'POST', '/add-node')) as AddedNode
      out.line(`Started ${added.name} as process ${added.pid}, with the sponsors ${added.sponsors.join(', ')}.`)
      out.note(
        'The next roster admits it, the second ranks it, the third gives it shards. The demo prints each roster.',
      )
    })
  return examples(command, 'geotrace demo add-node')
}

export function killCommand(out: Output): Command {
  const command = new Command('kill')
    .description('kill a salt node of the running demo by SIGKILL; the demo restarts it after ten seconds')
    .argument('<node>', 'name of the node, or its number from 1')
    .action(async (node: string) => {
      const { name } = (await adminRequest(runningDemo(), 'POST', '/kill', { node })) as KilledNode
      out.line(`Killed ${name}. The other replicas of its shards answer.`)
    })
  return examples(command, 'geotrace demo kill 2', 'geotrace demo kill ash')
}

/** Throws COMMAND_INVALID when no demo runs. */
function runningDemo(): string {
  return runningDemoDirectory() ?? invalidCommand('no demo runs on this machine; start one with `npm start`')
}
