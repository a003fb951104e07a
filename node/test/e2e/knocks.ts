/** A malicious member: one presence of it names ports of a stranger, so that its peers connect to them. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { systemClock } from '@geotrace/core-wasm'
import {
  DEMO_PHRASE,
  demoSecret,
  encodeGossip,
  encodeRosterRequest,
  type Manifest,
  MINUTE_MS,
  peerIdToKey,
  ROSTER_PROTOCOL,
  secretToSigner,
  signPresence,
} from '@geotrace/core-wasm/wire'
import { createHost } from '../../src/net/host.ts'
import { silent } from '../../src/platform/log.ts'

export interface Knocks {
  /** Connections to the stranger so far. */
  count(): number
  close(): void
}

/** Counts connections to a port, which is a free one unless given, and ends each of them. */
export async function countKnocks(host: string, port = 0): Promise<Knocks & { port: number }> {
  let count = 0
  const server: Server = createServer((socket) => {
    count++
    socket.destroy()
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    count: () => count,
    close: () => void server.close(),
  }
}

/** Sends the presence of a stopped member, with these addresses, to all others. Returns how many accepted it. */
export async function sendPresence(
  manifest: Manifest,
  operator: string,
  addresses: readonly string[],
): Promise<number> {
  const secret = demoSecret(DEMO_PHRASE, `peer/${operator}`)
  const clock = systemClock()
  const host = await createHost({ secret, listen: [], clock, log: silent })
  // It is newer than the last true one.
  const none = new Uint8Array(8)
  const time = clock.now() + MINUTE_MS
  const presence = { time, height: 0, roster: none, release: none, addresses: [...addresses] }
  const message = encodeGossip(signPresence(secretToSigner(secret), presence))
  const request = encodeRosterRequest({ op: 'submit', message })
  const others = [...manifest.members, manifest.central].filter((peer) => peer.operator !== operator)
  try {
    const replies = others.map(({ peerId, ...peer }) =>
      host.request({ key: peerIdToKey(peerId), addresses: peer.addresses }, ROSTER_PROTOCOL, request),
    )
    return (await Promise.all(replies)).filter(([status]) => status === 0).length
  } finally {
    await host.stop()
  }
}
