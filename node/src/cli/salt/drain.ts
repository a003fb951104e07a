/**
 * `geotrace salt drain`: stops the node on a directory after it has answered its open requests. node/README.md "Operating".
 * The node stays a member of the federation and may come back. Throws NODE_NOT_RUNNING, PEER_TIMEOUT.
 */
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { readAdminFile } from '../../admin/admin-file.ts'
import { adminRequest } from '../../admin/client.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import type { Output } from '../terminal/output.ts'

const POLL_MS = 50
/** Longer than the time after which a stopping node ends itself in any case. */
const GONE_MAX_MS = 6_000

export async function drain({ dir, json }: { dir: string; json?: boolean }, out: Output): Promise<void> {
  const { pid } = (await adminRequest(dir, 'POST', '/drain')) as { pid: number }
  const started = process.hrtime.bigint()
  const elapsedMs = (): number => Number((process.hrtime.bigint() - started) / 1_000_000n)
  let last = 0
  while (isAlive(pid) && (await readAdminFile(dir)) !== undefined) {
    if (elapsedMs() > GONE_MAX_MS)
      throw new FederationError('PEER_TIMEOUT', `process ${pid} is still there`, { peer: '' })
    const under = await underWay(dir)
    if (under !== undefined) last = under
    out.progress(last === 0 ? 'stopping …' : `finishing ${last} requests …`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  while (isAlive(pid) && elapsedMs() <= GONE_MAX_MS) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  if (json) out.json({ pid, stopped: true, ms: elapsedMs() })
  else
    out.line(
      `stopped after ${(elapsedMs() / 1000).toFixed(1)} s, with every request under way answered or given up at its deadline`,
    )
  out.note('The node is still a member: while it is away the other replicas of its shards answer, and')
  out.note(
    '`geotrace salt run` brings it back with the same salts. A supervisor that restarts it always will do so now.',
  )
  out.note('To leave for good: `geotrace federation leave`, and keep it running until 182 min after its last epoch.')
}

/** The number of open requests; undefined when the node no longer answers. */
async function underWay(dir: string): Promise<number | undefined> {
  try {
    return ((await adminRequest(dir, 'GET', '/status')) as NodeStatus).network?.inFlight ?? 0
  } catch (error) {
    if (isFederationError(error, 'NODE_NOT_RUNNING')) return undefined
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // The process exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
