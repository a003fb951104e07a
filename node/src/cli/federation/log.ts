/** `geotrace federation log`: the rosters so far, the changes of each, and the changes that are pending. */
import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import type { ChangeView, RosterView } from '../../admin/membership-routes.ts'
import { defaultDir, examples } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'

interface Log {
  isForked: boolean
  rosters: RosterView[]
  pending: ChangeView[]
}

export function logCommand(out: Output): Command {
  const command = new Command('log')
    .description('list the rosters, the changes of each, and the pending changes')
    .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
    .option('--json', 'print one JSON object')
    .action(async ({ dir, json }: { dir: string; json?: boolean }) => {
      const log = (await adminRequest(dir, 'GET', '/rosters')) as Log
      if (json) out.json(log)
      else print(log, out)
    })
  return examples(command, 'geotrace federation log')
}

function print({ isForked, rosters, pending }: Log, out: Output): void {
  const rows = rosters.map((roster) => [
    String(roster.height),
    roster.name,
    `from ${new Date(roster.firstEpoch * EPOCH_MS).toISOString().slice(0, 16)}Z`,
    `${roster.members} salt nodes, ${roster.operators} operators`,
    roster.newcomers + roster.admitted > 0 ? `${roster.newcomers + roster.admitted} joining` : '',
    roster.changes.join('; '),
  ])
  for (const line of toTable(rows)) out.line(line)
  if (rosters.length === 0) out.line('No roster yet. The federation is founded when all peers are online.')
  for (const { what, endorsedBy, needs } of pending) {
    out.line(`pending: ${what} (${endorsedBy.length} of ${needs} endorsements: ${endorsedBy.join(', ') || 'none'})`)
  }
  if (isForked)
    out.line('FORKED: two rosters of one period are certified. Talk to the other operators about which one to keep.')
}
