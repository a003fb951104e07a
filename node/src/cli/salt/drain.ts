/**
 * `geotrace salt drain`: stops the node on a directory after it has answered its open requests. node/README.md "Operating".
 * The node stays a member of the federation and may come back. Throws NODE_NOT_RUNNING, PEER_TIMEOUT.
 */
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { readAdminFile } from '../../admin/admin-file.ts'
import { adminRequest } from '../../admin/client.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import { dirOption } from '../terminal/options.ts'
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
      throw new FederationError(
        'PEER_TIMEOUT',
        `process ${pid} did not stop within ${GONE_MAX_MS / 1000} s; read its log`,
        { peer: '' },
      )
    const under = await underWay(dir)
    if (under !== undefined) last = under
    out.progress(last === 0 ? 'stopping …' : `answering ${last} open requests …`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  while (isAlive(pid) && elapsedMs() <= GONE_MAX_MS) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  if (json) out.json({ pid, stopped: true, ms: elapsedMs() })
  else
    out.line(
      `Stopped after ${(elapsedMs() / 1000).toFixed(1)} s. Every open request was answered or reached its deadline.`,
    )
  out.note('The node is still a member. While it is away, the other replicas of its shards answer.')
  out.note(`Next: geotrace salt run${dirOption(dir, 'salt')} starts it again with the same salts.`)
  out.note('A service manager that always restarts the node does so now.')
  out.note('To leave the federation, run `geotrace federation leave` and stop the node 182 min after its last epoch.')
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
