/**
 * `geotrace central drain`: stops the central peer on a directory. New syncs get BUSY, so devices keep them and come again;
 * those under way are answered, then the store closes. node/CENTRAL.md "As a service". Throws COMMAND_INVALID,
 * NODE_NOT_RUNNING, PEER_TIMEOUT.
 */
import { adminRequest } from '../../admin/client.ts'
import { drainResult, untilGone } from '../process/until-gone.ts'
import { dirOption } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'
import type { CentralFacts } from './facts.ts'

/**
 * After it a stopping peer ends itself in any case. Syncs under way end within two seconds; a store that closes writes what its
 * databases hold in memory.
 */
export const STOP_MAX_MS = 30_000
/** The command waits a little longer than the peer, which ends itself in any case. */
const MARGIN_MS = 2_000

export async function drainCentral({ dir }: { dir: string }, out: Output): Promise<void> {
  await assertRole(dir, 'central')
  const { pid } = (await adminRequest(dir, 'POST', '/drain')) as { pid: number }
  const toOpen = (status: unknown): number => (status as CentralFacts).inFlight
  const { ms, openRequests } = await untilGone({ dir, pid, maxMs: STOP_MAX_MS + MARGIN_MS, toOpen }, out)
  out.json({ pid, stopped: true, ms, openRequests })
  out.line(drainResult(ms, openRequests))
  out.note('Devices keep their syncs and come again. Marks that were not computed yet follow after the next start.')
  out.note(`To start it again: geotrace central run${dirOption(dir, 'central')}`)
}
