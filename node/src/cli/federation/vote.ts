/** `geotrace federation vote FILE`: endorses a change as an operator. The running node spreads it by gossip. */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { type ChangeView, changeToBase64, changeToText } from '../../admin/membership-routes.ts'
import { defaultDir, examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { readChangeFile } from './change-file.ts'

interface VoteOptions {
  dir: string
}

export function voteCommand(command: Command, out: Output): void {
  command
    .description('endorse a change as an operator through your running node')
    .argument('<file>', 'a file that `federation join` or `propose` printed')
    .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
    .action((file: string, options: VoteOptions) => vote(file, options, out))
  examples(command, 'geotrace federation vote join.json')
}

async function vote(file: string, { dir }: VoteOptions, out: Output): Promise<void> {
  const signed = readChangeFile(file)
  out.note(changeToText(signed.change, undefined))
  const view = (await adminRequest(dir, 'POST', '/changes/endorse', { change: changeToBase64(signed) })) as ChangeView
  out.json(view)
  out.line(`Endorsed by ${view.endorsedBy.length} of ${view.needs} operators: ${view.endorsedBy.join(', ') || 'none'}`)
  const missing = view.needs - view.endorsedBy.length
  out.note(
    missing > 0
      ? `${missing} more must endorse it. Send them the file; \`geotrace federation log\` shows who has endorsed it.`
      : 'These are enough. The next roster makes the change.',
  )
}
