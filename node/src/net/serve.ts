/**
 * Answers requests: reads one bounded frame, calls the handler, writes one reply, closes. PROTOCOL.md §6.1, §6.3.
 * Every wait has a deadline. A refusal is a status and one number; it contains no detail of an internal error.
 */
import { STREAMS_PER_PROTOCOL } from '@geotrace/core-wasm/transport'
import {
  busy,
  encodeRefusal,
  errorToRefusal,
  FederationError,
  isFederationError,
  type Protocol,
  peerIdToKey,
  STATUS_INTERNAL,
} from '@geotrace/core-wasm/wire'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { toCode } from '../platform/disk-error.ts'
import type { Log } from '../platform/log.ts'
import { inTime, withDeadline } from './deadline.ts'
import { addressToRequester } from './guard/requester.ts'
import type { HostLimits } from './limits.ts'
import type { Handler, HostStats, Requester } from './protocol.ts'
import { frames, malformed } from './transport/frame.ts'
import { linger } from './transport/inbound-streams.ts'

/** Counts requests, calls their handlers and encodes refusals, for both listeners. */
export class RequestServer {
  readonly #limits: HostLimits
  readonly #log: Log
  readonly #onRequest: (connection: Connection) => void
  readonly #served = new Map<string, { protocol: Protocol; handler: Handler; count: Count }>()
  readonly #requesters = new WeakMap<Connection, Requester>()
  #inFlight = 0
  #whenIdle: (() => void)[] = []

  /** Calls `onRequest` with the connection of every request over libp2p. */
  constructor(limits: HostLimits, log: Log, onRequest: (connection: Connection) => void) {
    this.#limits = limits
    this.#log = log
    this.#onRequest = onRequest
  }

  /** Complete requests whose handler has not finished. */
  get inFlight(): number {
    return this.#inFlight
  }

  stats(): Pick<HostStats, 'inFlight' | 'protocols'> {
    const protocols = [...this.#served].map(([id, { count }]) => [id, { ...count, refused: { ...count.refused } }])
    return { inFlight: this.#inFlight, protocols: Object.fromEntries(protocols) }
  }

  async serve(streams: Pick<Libp2p, 'handle'>, protocol: Protocol, handler: Handler): Promise<void> {
    this.#served.set(protocol.id, { protocol, handler, count: { answered: 0, refused: {}, bytes: 0 } })
    await streams.handle(
      protocol.id,
      async (stream, connection) => {
        try {
          await this.#exchange(protocol, handler, stream, connection)
        } catch (error) {
          stream.abort(error instanceof Error ? error : new Error('the stream failed'))
        }
      },
      { maxInboundStreams: STREAMS_PER_PROTOCOL, runOnLimitedConnection: false },
    )
  }

  /** The protocol served under this id. */
  protocol(id: string): Protocol | undefined {
    return this.#served.get(id)?.protocol
  }

  /** The reply to one request of a served protocol, from any listener. A refusal is a reply too. */
  async answer(protocol: Protocol, request: Uint8Array, from: Requester): Promise<Uint8Array> {
    const { handler, count } = this.#served.get(protocol.id)!
    count.bytes += request.length
    let reply: Uint8Array
    try {
      reply = await this.#handle(handler, request, from)
      count.answered++
    } catch (error) {
      reply = this.refuse(protocol, error)
    }
    count.bytes += reply.length
    return reply
  }

  /** Counts and encodes a refusal. */
  refuse(protocol: Protocol, error: unknown): Uint8Array {
    const refusal = asRefusal(error)
    this.#countRefusal(protocol.id, isFederationError(refusal) ? refusal.code : 'INTERNAL')
    const reply = encodeRefusal(errorToRefusal(refusal))
    if (reply[0] === STATUS_INTERNAL) {
      this.#log.error('net.handler-failed', { protocol: protocol.id, code: toCode(error) })
    }
    return reply
  }

  /** Counts a request for this id that received BUSY before it was read. */
  countBusy(id: string): void {
    this.#countRefusal(id, 'BUSY')
  }

  /** Resolves when no handler runs. */
  idle(): Promise<void> {
    return this.#inFlight === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  async #exchange(protocol: Protocol, handler: Handler, stream: Stream, connection: Connection): Promise<void> {
    this.#onRequest(connection)
    const { count } = this.#served.get(protocol.id)!
    const channel = frames(stream, protocol.requestMaxBytes)
    let reply: Uint8Array
    try {
      const request = await withDeadline(this.#limits.readMs, timedOut, (signal) =>
        channel.read(protocol.requestMaxBytes, signal),
      )
      count.bytes += request.length
      if (channel.left > 0) throw malformed('bytes follow the request')
      reply = await this.#handle(handler, request, this.#requester(connection))
      count.answered++
    } catch (error) {
      // The requester closed the stream or never sent a request, so a refusal would reach no reader.
      if (isFederationError(error, 'PEER_TIMEOUT') || stream.status !== 'open') throw error
      reply = this.refuse(protocol, error)
    }
    count.bytes += reply.length
    await withDeadline(this.#limits.writeMs, timedOut, async (signal) => {
      await channel.write(reply, signal)
      await stream.close({ signal })
    })
    linger(stream, this.#limits.lingerMs)
  }

  async #handle(handler: Handler, request: Uint8Array, from: Requester): Promise<Uint8Array> {
    if (this.#inFlight >= this.#limits.inFlight) throw busy()
    this.#inFlight++
    // A request counts until its handler finishes. The deadline answers the peer, but the handler still uses memory.
    const running = Promise.resolve()
      .then(() => handler(request, from))
      .finally(() => {
        if (--this.#inFlight > 0) return
        for (const resolve of this.#whenIdle) resolve()
        this.#whenIdle = []
      })
    return await inTime(this.#limits.handleMs, busy, running)
  }

  #countRefusal(id: string, code: string): void {
    const { refused } = this.#served.get(id)!.count
    refused[code] = (refused[code] ?? 0) + 1
  }

  /** The requester of a connection, parsed once, because parsing an address and a peer id takes some microseconds. */
  #requester(connection: Connection): Requester {
    const known = this.#requesters.get(connection)
    if (known !== undefined) return known
    const requester = connectionToRequester(connection)
    this.#requesters.set(connection, requester)
    return requester
  }
}

interface Count {
  answered: number
  refused: Record<string, number>
  bytes: number
}

function connectionToRequester({ remotePeer, remoteAddr }: Connection): Requester {
  const key = remotePeer.type === 'Ed25519' ? peerIdToKey(remotePeer.toString()) : undefined
  return { key, ...addressToRequester(remoteAddr.toString()) }
}

/** A frame above the size limit is malformed for its sender: MESSAGE_TOO_LARGE has no status on the wire. */
function asRefusal(error: unknown): unknown {
  return isFederationError(error, 'MESSAGE_TOO_LARGE') ? malformed('it is larger than the protocol allows') : error
}

function timedOut(): FederationError<'PEER_TIMEOUT'> {
  return new FederationError('PEER_TIMEOUT', 'the peer did not send or read in time', { peer: '' })
}
