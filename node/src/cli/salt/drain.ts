/**
 * `geotrace salt drain`: stops the node on a directory after it has answered its open requests. node/README.md "Operating".
 * The node stays a member of the federation and may come back. Throws COMMAND_INVALID, NODE_NOT_RUNNING, PEER_TIMEOUT.
 */
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { readAdminFile } from '../../admin/admin-file.ts'
import { adminRequest, isAlive } from '../../admin/client.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import { ask, isTyped } from '../terminal/ask.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { dirOption } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'
import { shardList } from './hints.ts'

const POLL_MS = 50
/** Longer than the time after which a stopping node ends itself in any case. */
const GONE_MAX_MS = 6_000

export async function drain({ dir }: { dir: string }, out: Output): Promise<void> {
  await assertRole(dir, 'salt')
  const { soleShards } = (await adminRequest(dir, 'GET', '/status')) as NodeStatus
  if (soleShards.length > 0) await confirm(soleShards, out)
  const { pid } = (await adminRequest(dir, 'POST', '/drain')) as { pid: number }
  const started = process.hrtime.bigint()
  const elapsedMs = (): number => Number((process.hrtime.bigint() - started) / 1_000_000n)
  let most = 0
  while (isAlive(pid) && (await readAdminFile(dir)) !== undefined) {
    if (elapsedMs() > GONE_MAX_MS) throw notGone(pid)
    const open = await openRequests(dir)
    most = Math.max(most, open)
    out.progress(open === 0 ? 'stopping …' : `answering ${open} open requests …`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  while (isAlive(pid) && elapsedMs() <= GONE_MAX_MS) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  out.json({ pid, stopped: true, ms: elapsedMs(), openRequests: most, soleShards })
  out.line(drainResult(elapsedMs(), most))
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

/** The result of a stop after `ms`; `open` requests were in progress when it began. */
export function drainResult(ms: number, open: number): string {
  const answered = open === 0 ? 'No request was open.' : 'Every open request was answered or reached its deadline.'
  return `Stopped after ${(ms / 1000).toFixed(1)} s. ${answered}`
}

export function drainAdvice(dirOption: string): string[] {
  return [
    'The node is still a member. While it is away, the other replicas of its shards answer.',
    `To start it again: geotrace salt run${dirOption}`,
    'A service manager that always restarts the node does so now.',
    `To leave the federation: geotrace federation leave${dirOption}`,
  ]
}

function notGone(pid: number): FederationError<'PEER_TIMEOUT'> {
  const what = `process ${pid} did not stop within ${GONE_MAX_MS / 1000} s`
  return new FederationError('PEER_TIMEOUT', `${what}; read its log`, { peer: '', next: 'read its log' })
}

/** The number of open requests; 0 when the node no longer answers. */
async function openRequests(dir: string): Promise<number> {
  try {
    return ((await adminRequest(dir, 'GET', '/status')) as NodeStatus).network.inFlight
  } catch (error) {
    if (isFederationError(error, 'NODE_NOT_RUNNING') || isFederationError(error, 'PEER_TIMEOUT')) return 0
    throw error
  }
}
