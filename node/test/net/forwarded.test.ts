/** A host takes the requester from the socket and never from a header, because it runs without a proxy. PROTOCOL.md §6.5. */
import { Agent, request as ask } from 'node:https'
import { connect } from 'node:net'
import { systemClock } from '@geotrace/core-wasm'
import { type Protocol, REQUEST_HEADER } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { names } from '../../../core-wasm/bench/raw-peer.js'
import { LOOPBACK_CERTIFICATE } from '../../../scripts/loopback-certificates.js'
import { createHost } from '../../src/net/host.ts'
import type { HostLimits } from '../../src/net/limits.ts'
import type { Host } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const WHO: Protocol = { id: '/test/who/1', requestMaxBytes: 16, replyMaxBytes: 64 }
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A host whose answer is the prefix that it charges for the request. */
async function host(listen: string, limits: Partial<HostLimits> = {}): Promise<{ host: Host; port: number }> {
  const made = await createHost({
    secret: systemRandom(32),
    listen: [listen],
    clock: systemClock(),
    log: silent,
    certificate: { current: () => LOOPBACK_CERTIFICATE, onChange: () => () => {} },
    limits: { newBurst: 1_000, ...limits },
  })
  ends.push(() => made.stop())
  await made.serve(WHO, async (_, { prefix }) => Buffer.from(prefix ?? 'nobody'))
  return { host: made, port: Number(made.addresses()[0]!.split('/')[4]) }
}
const claims = (n: number): Record<string, string> => ({
  'X-Forwarded-For': `203.0.113.${n}, 198.51.100.${n}`,
  'X-Real-IP': `203.0.113.${n}`,
  'CF-Connecting-IP': `203.0.113.${n}`,
  Forwarded: `for=203.0.113.${n};proto=https`,
  Via: '1.1 somewhere',
})

describe('an address in a header', () => {
  it('the HTTPS listener ignores an address in a header', async () => {
    const { port } = await host('/ip4/127.0.0.1/tcp/0/tls/ws')
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false })
    ends.push(() => agent.destroy())
    for (let n = 1; n <= 3; n++) {
      const answer = await new Promise<string>((resolve, reject) => {
        const headers = { ...claims(n), [REQUEST_HEADER[0]]: REQUEST_HEADER[1] }
        const call = ask({ host: '127.0.0.1', port, path: WHO.id, method: 'POST', headers, agent }, (got) =>
          got.setEncoding('utf8').on('data', resolve),
        )
        call.on('error', reject).end(Uint8Array.of(1))
      })
      expect(answer).toBe('4:127.0.0.1')
    }
  })

  it('three WebSockets of one address count as three whatever address their headers name', async () => {
    const { host: made, port } = await host('/ip4/127.0.0.1/tcp/0/ws', { pendingPerPrefix: 2, upgradeMs: 1_000_000 })
    const gone: number[] = []
    const open = (n: number): Promise<'kept' | 'closed'> => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: claims(n) })
      ends.push(() => socket.terminate())
      // An admitted socket gets an answer to its first message and stays in the middle of its handshake.
      socket.on('open', () => socket.send(names('/multistream/1.0.0')))
      return new Promise((resolve) => {
        socket.on('message', () => resolve('kept'))
        socket.on('close', () => {
          gone.push(n)
          resolve('closed')
        })
        socket.on('error', () => {})
      })
    }
    expect([await open(1), await open(2), await open(3)]).toEqual(['kept', 'kept', 'kept'])
    // The third one is over the bound of the address, so the first one made room for it.
    await expect.poll(() => gone).toEqual([1])
    expect(made.stats().connections).toBe(2)
  })

  it('a host closes a socket that starts with a PROXY header', async () => {
    const { host: made, port } = await host('/ip4/127.0.0.1/tcp/0', { upgradeMs: 300 })
    const v2 = Buffer.from('0d0a0d0a000d0a515549540a21110000', 'hex')
    for (const line of [Buffer.from('PROXY TCP4 203.0.113.7 127.0.0.1 4001 4001\r\n'), v2]) {
      const socket = connect(port, '127.0.0.1')
      ends.push(() => socket.destroy())
      socket.on('error', () => {})
      const closed = new Promise((resolve) => socket.once('close', resolve))
      let received = ''
      socket.on('data', (part) => (received += part.toString('latin1')))
      socket.write(Buffer.concat([line, Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n', 'latin1')]))
      await closed
      expect(received).not.toContain('/noise')
    }
    await expect.poll(() => made.stats().connections).toBe(0)
  })
})
