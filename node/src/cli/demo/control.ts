/** `geotrace demo add-node | kill`: control the demo that runs on this machine. Throws COMMAND_INVALID. */
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { examples, invalid } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

/** The start of the name of a demo's directory. The process id, a dash and six random characters follow. */
export const DEMO_DIRECTORY = 'geotrace-demo-'

export interface AddedNode {
  name: string
  pid: number
  sponsors: string[]
}
export interface KilledNode {
  name: string
}

export function addNodeCommand(out: Output): Command {
  const command = new Command('add-node')
    .description('a new operator joins the running demo: its application, three sponsors, a process')
    .action(async () => {
      const added = (await adminRequest(runningDemo(), 'POST', '/add-node')) as AddedNode
      out.line(`${added.name} runs as process ${added.pid}, sponsored by ${added.sponsors.join(', ')}`)
      out.note('The next roster admits it, the one after ranks it, the third gives it shards. Watch the demo.')
    })
  return examples(command, 'geotrace demo add-node')
}

export function killCommand(out: Output): Command {
  const command = new Command('kill')
    .description('SIGKILL to a salt node of the running demo; the demo starts it again after ten seconds')
    .argument('<node>', 'its name, or its number from 1')
    .action(async (node: string) => {
      const { name } = (await adminRequest(runningDemo(), 'POST', '/kill', { node })) as KilledNode
      out.line(`${name} is gone; its shards live on at their other replicas`)
    })
  return examples(command, 'geotrace demo kill 2', 'geotrace demo kill ash')
}

/** The directory of the running demo. Throws COMMAND_INVALID when no demo runs. */
function runningDemo(): string {
  const dirs = readdirSync(tmpdir())
    .filter((name) => name.startsWith(DEMO_DIRECTORY))
    .map((name) => join(tmpdir(), name))
    .filter((dir) => existsSync(join(dir, 'admin.json')))
  return dirs[0] ?? invalid('no demo runs on this machine; start one with `npm start`')
}
