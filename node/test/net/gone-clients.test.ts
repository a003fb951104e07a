/** Clients that leave in the middle of a request, in every way, keep no slot of the host. PROTOCOL.md §6.5. */
import { systemClock } from '@geotrace/core-wasm'
import { STREAMS_PER_CONNECTION, STREAMS_PER_PROTOCOL } from '@geotrace/core-wasm/transport'
import type { Protocol } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import {
  data,
  FIN,
  frame,
  names,
  RST,
  rawPeer,
  SYN,
  WINDOW_UPDATE,
  wholeRequest,
} from '../../../core-wasm/bench/raw-peer.js'
import type { Handler } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { Stage } from '../salt/federation.ts'

const stage = new Stage()
afterEach(() => stage.end())

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 512, replyMaxBytes: 1_024 }
/** More streams than one connection may have open, so that a slot that is not released is missed. */
const TIMES = 3 * STREAMS_PER_CONNECTION
const HEAD = names('/multistream/1.0.0', ECHO.id)
/** Announces six bytes and sends three. */
const HALF = Buffer.concat([HEAD, Buffer.of(6, 1, 2, 3)])
const WHOLE = Buffer.concat([HEAD, Buffer.of(2, 4, 5)])

async function listening(handler: Handler = async (request) => request) {
  const failed: string[] = []
  const log = { ...silent, error: (event: string) => void failed.push(event) }
  const limits = { readMs: 60_000, newBurst: 1_000, workBurst: 1e6 }
  const host = await stage.host(systemClock(), systemRandom(32), ['/ip4/127.0.0.1/tcp/0'], log, limits)
  await host.serve(ECHO, handler)
  const dial = async () => {
    const peer = await rawPeer(host.addresses()[0]!, { localAddress: '127.0.0.66' })
    stage.atEnd(() => peer.stop())
    return peer
  }
  return { host, dial, failed }
}
const opened = (id: number): Uint8Array => frame(WINDOW_UPDATE, SYN, id, 0)
const reset = (id: number): Uint8Array => frame(WINDOW_UPDATE, RST, id, 0)

describe('a client that leaves', () => {
  for (const [how, end] of [
    ['reset in the middle of a request', (id: number) => [data(id, 0, HALF), reset(id)]],
    ['ended in the middle of a request', (id: number) => [data(id, FIN, HALF)]],
    ['ended and then reset in the middle of a request', (id: number) => [data(id, FIN, HALF), reset(id)]],
    ['reset before its first byte', (id: number) => [reset(id)]],
    ['reset after a whole request', (id: number) => [data(id, 0, WHOLE), reset(id)]],
  ] as const) {
    it(`a connection whose streams were ${how} still gets an answer`, async () => {
      const { host, dial, failed } = await listening()
      const peer = await dial()
      let id = -1
      for (let i = 0; i < TIMES; i++) {
        id += 2
        peer.send(opened(id), ...end(id))
        // Wait for a part of a turn of the host's event loop, so that the host has read some streams in part.
        await new Promise((resolve) => setTimeout(resolve, i % 3))
      }
      const answer = data(0, 0, Buffer.of(2, 7, 9)).subarray(12)
      // The host answers the earlier streams first.
      peer.send(opened((id += 2)), data(id, FIN, Buffer.concat([HEAD, answer])))
      await expect.poll(() => Buffer.from(peer.received()).includes(answer)).toBe(true)
      expect(peer.isOpen()).toBe(true)
      expect(host.stats().inFlight).toBe(0)
      expect(failed).toEqual([])
    })
  }

  // Such a packet once ended the process: an uncaught error was thrown when the stream got its bytes.
  it('a client gets its answers when its requests and resets arrive before its connection is open', async () => {
    const { host, dial, failed } = await listening()
    for (let i = 0; i < 12; i++) {
      const peer = await dial()
      peer.send(wholeRequest(1, ECHO.id, Buffer.of(4, 5)), opened(3), data(3, FIN, WHOLE))
      peer.send(opened(5), data(5, 0, WHOLE), reset(5), opened(7), data(7, FIN, HEAD), opened(9), data(9, FIN, HALF))
      const answers = () => Buffer.from(peer.received()).toString('latin1').split('\x02\x04\x05').length - 1
      await expect.poll(answers).toBeGreaterThanOrEqual(2)
      await peer.stop()
    }
    await expect.poll(() => host.stats()).toMatchObject({ connections: 0, inFlight: 0 })
    expect(failed).toEqual([])
  })

  it('a reset stream and a closed connection free their slots while their handlers still run', async () => {
    const waiting: (() => void)[] = []
    const { host, dial, failed } = await listening(
      (request) => new Promise((resolve) => waiting.push(() => resolve(request))),
    )
    const [resets, leaves] = [await dial(), await dial()]
    for (const peer of [resets, leaves]) {
      for (let i = 0; i < STREAMS_PER_PROTOCOL; i++) peer.send(opened(2 * i + 1), data(2 * i + 1, 0, WHOLE))
    }
    await expect.poll(() => waiting.length).toBe(2 * STREAMS_PER_PROTOCOL)
    for (let i = 0; i < STREAMS_PER_PROTOCOL; i++) resets.send(reset(2 * i + 1))
    await leaves.stop()
    await expect.poll(() => host.stats().connections).toBe(1)
    // The streams are gone, so the same connection may open others before any handler has finished.
    resets.send(opened(101), data(101, 0, WHOLE))
    await expect.poll(() => waiting.length).toBe(2 * STREAMS_PER_PROTOCOL + 1)
    expect(host.stats().inFlight).toBe(2 * STREAMS_PER_PROTOCOL + 1)
    for (const done of waiting) done()
    await expect.poll(() => host.stats().inFlight).toBe(0)
    await expect.poll(() => Buffer.from(resets.received()).includes(Buffer.of(2, 4, 5))).toBe(true)
    expect(failed).toEqual([])
  })
})
