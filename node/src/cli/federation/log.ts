/** `geotrace federation log`: the rosters so far, the changes of each, and the changes that are pending. */
import { EPOCH_MS, RECENT_MAX } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import type { ChangeView, RosterView } from '../../admin/membership-routes.ts'
import { plural } from '../../admin/page/words.ts'
import { defaultDir, examples } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { minute } from '../terminal/times.ts'

interface Log {
  isForked: boolean
  rosters: RosterView[]
  pending: ChangeView[]
}

export function logCommand(command: Command, out: Output): void {
  command
    .description('list the rosters, the changes of each, and the pending changes')
    .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
    .action(async ({ dir }: { dir: string }) => {
      const log = (await adminRequest(dir, 'GET', '/rosters')) as Log
      out.json(log)
      for (const line of logLines(log)) out.line(line)
    })
  examples(command, 'geotrace federation log')
}

export function logLines({ isForked, rosters, pending }: Log): string[] {
  const rows = rosters.map((roster) => [
    String(roster.height),
    roster.name,
    `from ${minute(roster.firstEpoch * EPOCH_MS)}`,
    [plural(roster.members, 'salt node'), plural(roster.operators, 'operator'), ...releaseOf(roster)].join(', '),
    roster.newcomers + roster.admitted > 0 ? `${roster.newcomers + roster.admitted} joining` : '',
    roster.changes.join('; '),
  ])
  const oldest = rosters[0]?.height ?? 0
  return [
    ...(oldest > 0
      ? [`The list begins with roster ${oldest}, because a node lists its ${RECENT_MAX} newest rosters.`]
      : []),
    ...toTable(rows),
    ...(rosters.length === 0 ? ['No roster yet. The federation is founded when all peers are online.'] : []),
    ...pending.map(pendingLine),
    ...(isForked
      ? ['FORKED: two rosters of one period are certified. Talk to the other operators about which one to keep.']
      : []),
  ]
}

function releaseOf({ release }: RosterView): string[] {
  return release === undefined ? [] : [`release ${release.slice(0, 16)}`]
}

/** A change that needs no endorsement says none. A change that no roster can make says why. */
function pendingLine({ what, endorsedBy, needs, problem }: ChangeView): string {
  const count = `${endorsedBy.length} of ${plural(needs, 'endorsement')}: ${endorsedBy.join(', ') || 'none'}`
  return `pending: ${what}${needs === 0 ? '' : ` (${count})`}${problem === undefined ? '' : `; no roster can make it: ${problem}`}`
}
