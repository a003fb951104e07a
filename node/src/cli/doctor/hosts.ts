/** The hosts and the peers that a doctor uses. A host lasts as long as its task. */
import { systemClock } from '@geotrace/core-wasm'
import { type Manifest, peerIdToKey } from '@geotrace/core-wasm/wire'
import { createHost } from '../../net/host.ts'
import type { Host } from '../../net/protocol.ts'
import { silent } from '../../platform/log.ts'
import { systemRandom } from '../../platform/random.ts'
import type { NamedPeer } from '../verify/chain.ts'

export function manifestToPeers({ members, central }: Manifest): NamedPeer[] {
  return [...members, central].map(({ peerId, operator, addresses }) => ({
    key: peerIdToKey(peerId),
    name: operator,
    addresses,
  }))
}

export async function withHost<T>(secret: Uint8Array, task: (host: Host) => Promise<T>): Promise<T> {
  const host = await createHost({ secret, listen: [], clock: systemClock(), log: silent })
  try {
    return await task(host)
  } finally {
    await host.stop()
  }
}

/** A host with a new key for every request, so that every request dials. */
export const freshHosts: Pick<Host, 'request'> = {
  request: (...request) => withHost(systemRandom(32), (host) => host.request(...request)),
}
