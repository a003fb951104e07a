/**
 * `geotrace salt drain`: stops the node on a directory after it has answered its open requests. node/README.md "Operating".
 * The node stays a member of the federation and may come back. Throws COMMAND_INVALID, NODE_NOT_RUNNING, PEER_TIMEOUT.
 */
import { adminRequest } from '../../admin/client.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import { drainResult, untilGone } from '../process/until-gone.ts'
import { ask, isTyped } from '../terminal/ask.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { dirOption } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'
import { shardList } from './hints.ts'

/** Longer than the time after which a stopping node ends itself in any case. */
const GONE_MAX_MS = 6_000

export async function drain({ dir }: { dir: string }, out: Output): Promise<void> {
  await assertRole(dir, 'salt')
  const { soleShards } = (await adminRequest(dir, 'GET', '/status')) as NodeStatus
  if (soleShards.length > 0) await confirm(soleShards, out)
  const { pid } = (await adminRequest(dir, 'POST', '/drain')) as { pid: number }
  const toOpen = (status: unknown): number => (status as NodeStatus).network.inFlight
  const { ms, openRequests } = await untilGone({ dir, pid, maxMs: GONE_MAX_MS, toOpen }, out)
  out.json({ pid, stopped: true, ms, openRequests, soleShards })
  out.line(drainResult(ms, openRequests))
  for (const line of drainAdvice(dirOption(dir, 'salt'))) out.note(line)
}

/** A person decides; a script has decided already, because a stop must never depend on others. */
async function confirm(soleShards: readonly number[], out: Output): Promise<void> {
  for (const line of soleWarning(soleShards)) out.note(line)
  if (!isTyped()) return
  if ((await ask('Stop anyway? Type yes: ', out)).trim() !== 'yes')
    invalidCommand('cancelled, and the node keeps running', 'drain it when another replica is online')
}

export function soleWarning(soleShards: readonly number[]): string[] {
  const shards = shardList(soleShards)
  return [
    `This node is the last replica of ${shards} that is online.`,
    `When it stops, the regions of ${shards} have no salts until the next roster.`,
  ]
}

export function drainAdvice(dirOption: string): string[] {
  return [
    'The node is still a member. While it is away, the other replicas of its shards answer.',
    `To start it again: geotrace salt run${dirOption}`,
    'A service manager that always restarts the node does so now.',
    `To leave the federation: geotrace federation leave${dirOption}`,
  ]
}
