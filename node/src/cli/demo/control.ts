/** `geotrace demo add-node | kill`: control the demo that runs on this machine. Throws COMMAND_INVALID. */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { pidOf, runningDemoDirectories } from './directory.ts'
import type { AddedNode, KilledNode } from './routes.ts'

export function addNodeCommand(command: Command, out: Output): void {
  command.description('add the salt node of a new operator to the running demo').action(async () => {
    const added = (await adminRequest(runningDemo(out), 'POST', '/add-node')) as AddedNode
    out.json(added)
    out.line(`Started ${added.name} as process ${added.pid}, with the sponsors ${added.sponsors.join(', ')}.`)
    out.note('The next roster admits it, the second ranks it, the third gives it shards. The demo prints each roster.')
  })
  examples(command, 'geotrace demo add-node')
}

export function killCommand(command: Command, out: Output): void {
  command
    .description('kill a peer of the running demo by SIGKILL; the demo restarts it after ten seconds')
    .argument('<peer>', 'name of a salt node or of the authority, or its number from 1')
    .action(async (node: string) => {
      const { name, role } = (await adminRequest(runningDemo(out), 'POST', '/kill', { node })) as KilledNode
      out.json({ name, role })
      const effect = role === 'salt' ? 'The other replicas of its shards answer.' : 'Nobody can sync until it is back.'
      out.line(`Killed ${name}. ${effect}`)
    })
  examples(command, 'geotrace demo kill 2', 'geotrace demo kill ash', 'geotrace demo kill authority')
}

/** The directory of the only demo, which is named. Throws COMMAND_INVALID when no demo runs, or more than one. */
function runningDemo(out: Output): string {
  const [dir, ...others] = runningDemoDirectories()
  if (dir === undefined) return invalidCommand('no demo of yours runs on this machine', 'start one with `npm start`')
  if (others.length > 0) {
    const processes = [dir, ...others].map(pidOf).join(', ')
    invalidCommand(`expected one running demo, got ${others.length + 1}: processes ${processes}`, 'stop all but one')
  }
  out.note(`The demo of process ${pidOf(dir)}:`)
  return dir
}
