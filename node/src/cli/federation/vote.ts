/** `geotrace federation vote FILE`: endorses a change as an operator. The running node spreads it by gossip. */
import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { type ChangeView, changeToBase64 } from '../../admin/membership-routes.ts'
import { defaultDir, examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { minute } from '../terminal/times.ts'
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
  const change = changeToBase64(readChangeFile(file))
  const before = (await adminRequest(dir, 'POST', '/changes/check', { change })) as ChangeView
  out.note(`You endorse: ${before.what}.`)
  const after = (await adminRequest(dir, 'POST', '/changes/endorse', { change })) as ChangeView
  out.json(after)
  out.line(endorsementLine(after))
  for (const line of endorsementAdvice(before, after)) out.note(line)
}

export function endorsementLine({ endorsedBy, needs }: ChangeView): string {
  return `Endorsed by ${endorsedBy.length} of ${needs} operators: ${endorsedBy.join(', ') || 'none'}`
}

/** `before` is the change without the endorsement that this command gave. */
export function endorsementAdvice(before: ChangeView, after: ChangeView): string[] {
  const missing = after.needs - after.endorsedBy.length
  const isAgain = before.endorsedBy.length === after.endorsedBy.length
  return [
    ...(isAgain ? ['Your operator had endorsed it before, so nothing has changed.'] : []),
    ...(missing > 0
      ? [
          `${missing} more must endorse it before ${minute(after.until * EPOCH_MS)}. Send them the file;`,
          '`geotrace federation log` shows who has endorsed it.',
        ]
      : [`These are enough. ${whenMade(after)}`]),
  ]
}

function whenMade({ nextRosterMs }: ChangeView): string {
  if (nextRosterMs === undefined) return 'The first roster after the founding makes the change.'
  return `The next roster, from ${minute(nextRosterMs)} at the earliest, makes the change.`
}
