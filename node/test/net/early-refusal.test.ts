import '../../src/platform/polyfill.ts'
import { concatBytes, utf8 } from '@geotrace/core-wasm/wire'
import type { Stream, StreamMuxer } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { describe, expect, it } from 'vitest'
import { BACKOFF_MS, HOST_LIMITS } from '../../src/net/limits.ts'
import { lengthToBytes } from '../../src/net/transport/frame.ts'
import { InboundStreams, REQUESTS_AT_ONCE } from '../../src/net/transport/inbound-streams.ts'
import { listeningYamux } from '../../src/net/transport/muxer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { until } from '../salt/federation.ts'

const PROTOCOL = '/test/slow/1'
const BUSY = 11
const line = (text: string): Uint8Array => concatBytes(lengthToBytes(text.length + 1), utf8(`${text}\n`))
const ASKS = concatBytes(line('/multistream/1.0.0'), line(PROTOCOL), Uint8Array.of(1, 7))
const ANSWER_HEAD = line('/multistream/1.0.0').length + line(PROTOCOL).length

/** A stock muxer on one side, ours on the other. The test sets the lag of our event loop; our handlers wait for `ends`. */
async function pair() {
  let isLagging = false
  let nowMs = 0
  let inFlight = 0
  const turnedAway: string[] = []
  const inbound = new InboundStreams({
    readMs: 60_000,
    lingerMs: 60_000,
    isLagging: () => isLagging,
    inFlight: () => inFlight,
    isMember: (connection) => connection.id === 'member',
    onBusy: (protocol) => void turnedAway.push(protocol),
    others: () => [],
  })
  const handled: Stream[] = []
  const ends: (() => void)[] = []
  await inbound.handle(
    PROTOCOL,
    (stream) => {
      handled.push(stream)
      inFlight++
      return new Promise<void>((resolve) => ends.push(resolve)).finally(() => inFlight--)
    },
    { maxInboundStreams: 100 },
  )
  const open = (id = 'stranger'): { ask(): Promise<Stream>; ours: StreamMuxer } => {
    const [outbound, incoming] = multiaddrConnectionPair()
    const limits = { ...HOST_LIMITS, workPerSecond: 1e9, workBurst: 1e9 }
    const init = { limits, now: () => nowMs, random: systemRandom, inbound, onReceived: () => {}, onAbuse: () => {} }
    const ours = listeningYamux(init)().createStreamMuxer(incoming)
    const theirs = yamux()().createStreamMuxer(outbound)
    inbound.opened({ id, streams: ours.streams } as unknown as Parameters<typeof inbound.opened>[0])
    return {
      ours,
      async ask() {
        const stream = await theirs.createStream()
        stream.send(ASKS)
        return stream
      },
    }
  }
  return {
    open,
    handled,
    turnedAway,
    ends,
    late: (is: boolean) => void (isLagging = is),
    pass: (ms: number) => void (nowMs += ms),
  }
}

async function read(stream: Stream): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part.subarray())
  return concatBytes(...parts)
}

describe('a lagging host at its bound of concurrent requests', () => {
  it('a lagging host answers BUSY without a stream, doubles the backoff of an early retry, and serves again when it has room', async () => {
    const { open, handled, turnedAway, ends, late, pass } = await pair()
    for (let i = 0; i < REQUESTS_AT_ONCE; i += 4) {
      const { ask } = open()
      for (let j = 0; j < 4; j++) await ask()
    }
    await until(() => handled.length === REQUESTS_AT_ONCE)
    // Without lag the host accepts more requests.
    await open().ask()
    await until(() => handled.length === REQUESTS_AT_ONCE + 1)

    late(true)
    const { ask, ours } = open()
    const first = await read(await ask())
    expect(first[ANSWER_HEAD + 1]).toBe(BUSY)
    const seconds = (answer: Uint8Array): number => new DataView(answer.buffer).getUint32(ANSWER_HEAD + 2)
    expect(seconds(first)).toBe(1)
    expect(ours.streams).toHaveLength(0)
    expect(handled).toHaveLength(REQUESTS_AT_ONCE + 1)

    // A request before the end of the backoff is read too, and its refusal announces twice the time.
    pass(BACKOFF_MS - 1)
    expect(seconds(await read(await ask()))).toBe(2)

    expect(turnedAway).toEqual([PROTOCOL, PROTOCOL])
    for (const end of ends) end()
    await open().ask()
    await until(() => handled.length === REQUESTS_AT_ONCE + 2)
  })

  it('a lagging host at its bound still serves members', async () => {
    const { open, handled, late } = await pair()
    for (let i = 0; i < REQUESTS_AT_ONCE; i += 4) {
      const { ask } = open()
      for (let j = 0; j < 4; j++) await ask()
    }
    await until(() => handled.length === REQUESTS_AT_ONCE)
    late(true)
    expect((await read(await open().ask()))[ANSWER_HEAD + 1]).toBe(BUSY)
    await open('member').ask()
    await until(() => handled.length === REQUESTS_AT_ONCE + 1)
  })
})
