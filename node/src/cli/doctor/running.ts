/** Checks of a running node from its own status. node/README.md "When something is wrong". Pure. */
import type { NodeStatus } from '../../admin/node-status.ts'
import { span } from '../../admin/page/words.ts'
import { type Finding, fail, ok, warn } from './finding.ts'
import { judgeClock } from './network.ts'

/** `status` is undefined when the node does not run. `dirOption` is the --dir option for the suggested command. */
export function judgeRunning(status: NodeStatus | undefined, dirOption = ''): Finding[] {
  if (status === undefined) {
    return [
      warn('running', 'the node does not run, so its roster and shards are unknown', `geotrace salt run${dirOption}`),
    ]
  }
  const { health, uptimeMs, roster, nowMs, shards, hints, reach, clockOffsetMs } = status
  const worst = hints.find(({ level }) => level === 'fail') ?? hints[0]
  const state = `${health}, up for ${span(uptimeMs)}`
  const held = shards.filter((item) => item.held).length
  return [
    health === 'serving'
      ? ok('running', `${state}, ${held} of ${shards.length} seeds held`)
      : warn('running', state, worst?.next ?? 'wait a minute, then run `geotrace doctor` again'),
    judgeClock(reach === undefined || reach.answered === 0 ? undefined : clockOffsetMs),
    judgeRoster(roster, nowMs),
  ]
}

export function judgeRoster(roster: NodeStatus['roster'], nowMs: number): Finding {
  if (roster === undefined) {
    return warn(
      'roster',
      'no roster is certified yet',
      'wait until enough of the operators in federation.json are online',
    )
  }
  const { height, name, fromMs, untilMs, reserveUntilMs } = roster
  const what = `roster ${height} (${name})`
  if (nowMs < fromMs) return ok('roster', `${what} is certified and begins in ${span(fromMs - nowMs)}`)
  if (nowMs < untilMs) {
    return ok('roster', `${what} is certified and in force; its period ends in ${span(untilMs - nowMs)}`)
  }
  if (nowMs < reserveUntilMs) {
    return warn(
      'roster',
      `${what} is past its period; its reserve ends in ${span(reserveUntilMs - nowMs)}`,
      'too few operators vote for a newer roster; ask the other operators whether their nodes run',
    )
  }
  return fail('roster', `${what} has expired`, 'ask the other operators whether the federation continues')
}
