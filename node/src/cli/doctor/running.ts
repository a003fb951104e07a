/** Checks of a running node from its own status. node/README.md "When something is wrong". Pure. */
import type { NodeStatus } from '../../admin/node-status.ts'
import { plural, span } from '../../admin/page/words.ts'
import { minute } from '../terminal/times.ts'
import { type Finding, fail, ok, warn } from './finding.ts'
import { judgeClock } from './network.ts'

/** Words of health that need an action. The other words of health than `serving` need patience. */
const FAILURES: ReadonlySet<NodeStatus['health']> = new Set([
  'forked',
  'clock-skewed',
  'roster-ended',
  'disk-full',
  'strayed',
])

/** `status` is undefined when the node does not run. `dirOption` is the --dir option for the suggested command. */
export function judgeRunning(status: NodeStatus | undefined, dirOption = ''): Finding[] {
  if (status === undefined) {
    const what = 'the node does not run, so its roster and shards are unknown'
    return [warn('running', what, `start it: geotrace salt run${dirOption}`)]
  }
  const { nowMs, roster, nextRoster, reach, clockOffsetMs } = status
  return [
    judgeHealth(status),
    judgeClock(reach === undefined || reach.answered === 0 ? undefined : clockOffsetMs),
    judgeRoster(roster, nextRoster, nowMs),
  ]
}

/** The worst hint explains the health. */
function judgeHealth({ health, uptimeMs, shards, hints }: NodeStatus): Finding {
  const state = `${health}, up for ${span(uptimeMs)}`
  const hint = hints.find(({ level }) => level === 'fail') ?? hints[0]
  if (health === 'serving' && hint === undefined) {
    const held = shards.filter((item) => item.held).length
    return ok('running', `${state}, ${held} of ${plural(shards.length, 'seed')} held`)
  }
  const what = hint === undefined ? state : `${state}; ${hint.what}`
  const next = hint?.next ?? 'wait a minute, then run `geotrace doctor` again'
  return (FAILURES.has(health) || hint?.level === 'fail' ? fail : warn)('running', what, next)
}

export function judgeRoster(
  roster: NodeStatus['roster'],
  nextRoster: NodeStatus['nextRoster'],
  nowMs: number,
): Finding {
  if (roster === undefined) {
    return warn(
      'roster',
      'no roster is certified yet',
      'wait until enough of the operators in federation.json are online',
    )
  }
  const { height, name, fromMs, untilMs, reserveUntilMs } = roster
  const what = `roster ${height} (${name})`
  const follows = nextRoster === undefined ? '' : `; roster ${nextRoster.height} follows ${minute(nextRoster.fromMs)}`
  if (nowMs < fromMs) return ok('roster', `${what} is certified and begins ${minute(fromMs)}`)
  if (nowMs < untilMs) return ok('roster', `${what} is in force until ${minute(untilMs)}${follows}`)
  if (nowMs < reserveUntilMs) {
    return warn(
      'roster',
      `${what} is past its period; its reserve lasts until ${minute(reserveUntilMs)}`,
      'too few operators vote for a newer roster; ask the other operators whether their nodes run',
    )
  }
  return fail('roster', `${what} has expired`, 'ask the other operators whether the federation continues')
}
