import { systemClock } from '@geotrace/core-wasm'
import { FederationError, type Protocol } from '@geotrace/core-wasm/wire'
import { afterEach, expect, it } from 'vitest'
import { createHost } from '../../src/net/host.ts'
import type { Host } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

/** Asks a host for the counts that the status page and metrics show. */
const ASK: Protocol = { id: '/test/ask/1', requestMaxBytes: 16, replyMaxBytes: 64 }
const ends: Host[] = []
afterEach(async () => {
  for (const host of ends.splice(0)) await host.stop()
})

async function host(listen: string[]): Promise<Host> {
  const made = await createHost({ secret: systemRandom(32), listen, clock: systemClock(), log: silent })
  ends.push(made)
  return made
}

it('a host counts answers, refusals by code, and bytes of each protocol', async () => {
  const [server, client] = [await host(['/ip4/127.0.0.1/tcp/0']), await host([])]
  await server.serve(ASK, async ([first]) => {
    if (first === 1) throw new FederationError('QUOTA_SPENT', 'spent', { retryAfterMs: 1 })
    if (first === 2) throw new Error('an internal error')
    return new Uint8Array(10)
  })
  expect(server.stats()).toEqual({
    connections: 0,
    waiting: 0,
    inFlight: 0,
    protocols: { [ASK.id]: { answered: 0, refused: {}, bytes: 0 } },
  })
  const peer = { key: server.key, addresses: server.addresses() }
  for (const first of [0, 0, 1, 2, 2, 0]) await client.request(peer, ASK, Uint8Array.of(first))
  const { connections, protocols } = server.stats()
  expect(connections).toBe(1)
  expect(protocols[ASK.id]).toEqual({
    answered: 3,
    refused: { QUOTA_SPENT: 1, INTERNAL: 2 },
    // Six requests of one byte, three replies of ten bytes, three refusals of five bytes.
    bytes: 6 + 30 + 15,
  })
  expect(client.stats().connections).toBe(0)
})

it('a host counts a request as in flight only until it is answered', async () => {
  const [server, client] = [await host(['/ip4/127.0.0.1/tcp/0']), await host([])]
  let finish = (): void => {}
  const begun = new Promise<void>((begin) => {
    void server.serve(ASK, async () => {
      begin()
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return Uint8Array.of(0)
    })
  })
  const asked = client.request({ key: server.key, addresses: server.addresses() }, ASK, Uint8Array.of(0))
  await begun
  expect(server.stats().inFlight).toBe(1)
  finish()
  await asked
  expect(server.stats().inFlight).toBe(0)
})
