/**
 * Answers requests: reads one bounded frame, calls the handler, writes one reply, closes. PROTOCOL.md §6.1, §6.3.
 * Every wait has a deadline. A refusal is a status and one number; it contains no detail of an internal error.
 */
import {
  busy,
  encodeRefusal,
  errorToRefusal,
  FederationError,
  isFederationError,
  type Protocol,
  peerIdToKey,
} from '@geotrace/core-wasm/wire'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Log } from '../platform/log.ts'
import { inTime, withDeadline } from './deadline.ts'
import { addressToSource } from './guard/requester.ts'
import { type HostLimits, STREAMS_PER_PROTOCOL } from './limits.ts'
import type { Handler, HostStats, Requester } from './protocol.ts'
import { frames, malformed } from './transport/frame.ts'
import { linger } from './transport/inbound-streams.ts'

export interface Server {
  stats(): Pick<HostStats, 'inFlight' | 'protocols'>
  /** Complete requests whose handler has not finished. */
  inFlight(): number
  serve(streams: Pick<Libp2p, 'handle'>, protocol: Protocol, handler: Handler): Promise<void>
  /** The protocol served under this id. */
  protocol(id: string): Protocol | undefined
  /** The reply to one request of a served protocol, from any listener. A refusal is a reply too. */
  answer(protocol: Protocol, request: Uint8Array, from: Requester): Promise<Uint8Array>
  /** Counts and encodes a refusal. */
  refuse(protocol: Protocol, error: unknown): Uint8Array
  /** Counts a request for this id that received BUSY before it was read. */
  turnedAway(id: string): void
  /** Resolves when no handler runs. */
  idle(): Promise<void>
}

/** Calls `onUse` with the connection of every request. */
export function server(limits: HostLimits, log: Log, onUse: (connection: Connection) => void): Server {
  let inFlight = 0
  let waiting: (() => void)[] = []
  const counts = new Map<string, Count>()
  const served = new Map<string, { protocol: Protocol; handler: Handler }>()

  const handle = async (handler: Handler, request: Uint8Array, from: Requester): Promise<Uint8Array> => {
    if (inFlight >= limits.inFlight) throw busy()
    inFlight++
    // A request counts until its handler finishes. The deadline answers the peer, but the handler still uses memory.
    const running = Promise.resolve()
      .then(() => handler(request, from))
      .finally(() => {
        if (--inFlight > 0) return
        for (const resolve of waiting) resolve()
        waiting = []
      })
    return await inTime(limits.handleMs, busy, running)
  }

  const countRefusal = (id: string, code: string): void => {
    const { refused } = counts.get(id)!
    refused[code] = (refused[code] ?? 0) + 1
  }
  const refuse = (protocol: Protocol, error: unknown): Uint8Array => {
    const refusal = asRefusal(error)
    countRefusal(protocol.id, isFederationError(refusal) ? refusal.code : 'INTERNAL')
    const reply = encodeRefusal(errorToRefusal(refusal))
    if (reply[0] === 255) log.error('net.handler-failed', { protocol: protocol.id })
    return reply
  }

  const answer = async (protocol: Protocol, request: Uint8Array, from: Requester): Promise<Uint8Array> => {
    const count = counts.get(protocol.id)!
    count.bytes += request.length
    let reply: Uint8Array
    try {
      reply = await handle(served.get(protocol.id)!.handler, request, from)
      count.answered++
    } catch (error) {
      reply = refuse(protocol, error)
    }
    count.bytes += reply.length
    return reply
  }

  const exchange = async (
    protocol: Protocol,
    handler: Handler,
    stream: Stream,
    connection: Connection,
  ): Promise<void> => {
    onUse(connection)
    const count = counts.get(protocol.id)!
    const channel = frames(stream, protocol.requestMaxBytes)
    let reply: Uint8Array
    try {
      const request = await withDeadline(limits.readMs, timedOut, (signal) =>
        channel.read(protocol.requestMaxBytes, signal),
      )
      count.bytes += request.length
      if (channel.left > 0) throw malformed('bytes after the request')
      reply = await handle(handler, request, connectionToRequester(connection))
      count.answered++
    } catch (error) {
      // The requester closed the stream or never sent a request, so a refusal would reach no reader.
      if (isFederationError(error, 'PEER_TIMEOUT') || stream.status !== 'open') throw error
      reply = refuse(protocol, error)
    }
    count.bytes += reply.length
    await withDeadline(limits.writeMs, timedOut, async (signal) => {
      await channel.write(reply, signal)
      await stream.close({ signal })
    })
    linger(stream, limits.lingerMs)
  }

  return {
    inFlight: () => inFlight,
    stats: () => ({
      inFlight,
      protocols: Object.fromEntries(
        [...counts].map(([id, { answered, refused, bytes }]) => [id, { answered, refused: { ...refused }, bytes }]),
      ),
    }),
    serve: (streams, protocol, handler) => {
      counts.set(protocol.id, { answered: 0, refused: {}, bytes: 0 })
      served.set(protocol.id, { protocol, handler })
      return streams.handle(
        protocol.id,
        async (stream, connection) => {
          try {
            await exchange(protocol, handler, stream, connection)
          } catch (error) {
            stream.abort(error instanceof Error ? error : new Error('stream failed'))
          }
        },
        { maxInboundStreams: STREAMS_PER_PROTOCOL, runOnLimitedConnection: false },
      )
    },
    protocol: (id) => served.get(id)?.protocol,
    answer,
    refuse,
    turnedAway: (id) => countRefusal(id, 'BUSY'),
    idle: () => (inFlight === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}

interface Count {
  answered: number
  refused: Record<string, number>
  bytes: number
}

export function connectionToRequester({ remotePeer, remoteAddr }: Connection): Requester {
  const key = remotePeer.type === 'Ed25519' ? peerIdToKey(remotePeer.toString()) : undefined
  return { key, ...addressToSource(remoteAddr.toString()) }
}

/** A frame above the size limit is malformed for its sender: MESSAGE_TOO_LARGE has no status on the wire. */
function asRefusal(error: unknown): unknown {
  return isFederationError(error, 'MESSAGE_TOO_LARGE') ? malformed('too large') : error
}

function timedOut(): FederationError<'PEER_TIMEOUT'> {
  return new FederationError('PEER_TIMEOUT', 'the peer took too long', { peer: '' })
}
