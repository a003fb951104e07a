/**
 * Dispatches streams that a peer opens: the stream names its protocol (multistream-select 1.0) and gets a handler, BUSY or
 * a reset. PROTOCOL.md §6.1, §6.5. It replaces the negotiation of libp2p, which answers any number of wrong names and
 * buffers up to 4 MiB meanwhile. Gain: 0.4 of 0.7 ms for a request (measured 2026-11).
 */
import { busy, concatBytes, encodeRefusal, errorToRefusal, utf8 } from '@geotrace/core-wasm/wire'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { lengthToBytes } from './frame.ts'

/**
 * Concurrent requests allowed during event-loop lag: about 40 ms of work. That keeps answers quick and hides disk latency.
 * A request counts only when it is complete, so a slow sender occupies no slot.
 */
export const REQUESTS_AT_ONCE = 24
/** Bytes of both names with their lengths. */
const NAMES_MAX_BYTES = 256
const MULTISTREAM = '/multistream/1.0.0'
const NEWLINE = 10

type StreamHandler = Parameters<Libp2p['handle']>[1]

export interface InboundStreams {
  /** `handle` of libp2p. `maxInboundStreams` counts the streams of one connection. */
  readonly handle: Libp2p['handle']
  isRequest(protocol: string): boolean
  /** Whether the host refuses further requests. It never refuses members, which `streams` of their connection identify. */
  isFull(streams?: readonly Stream[]): boolean
  /** How many further requests the host accepts; none during event-loop lag. */
  room(): number
  /** The protocol that `head`, the first bytes of a stream, names, when the host refuses it. */
  refused(head: Uint8Array, streams: readonly Stream[]): string | undefined
  /** Removes all handlers. */
  end(): void
  /** The connection is open. Its `streams` array identifies it from now on. */
  opened(connection: Connection): void
  accept(stream: Stream, streams: readonly Stream[], instead: Instead): void
}

/** Actions for a stream that gets no handler. */
export interface Instead {
  /** Gives the stream to libp2p, with all received bytes. */
  pass(): void
  /** Backs off the connection of a refused request. Returns the announced time, ms. */
  hold(): number
}

export interface InboundStreamsInit {
  /** Time to name a protocol. */
  readMs: number
  /** Time until the other side has closed its half of an answered stream. */
  lingerMs: number
  /** Whether the event loop lags. */
  isLagging(): boolean
  /** Requests that handlers are answering. */
  inFlight(): number
  /** Whether the connection is with a member of the federation. Members are served during an overload too. */
  isMember(connection: Connection): boolean
  /** A request for this protocol got BUSY. */
  onBusy(protocol: string): void
  /** Protocols that libp2p itself handles. */
  others(): readonly string[]
}

export function inboundStreams({
  readMs,
  lingerMs,
  isLagging,
  inFlight,
  isMember,
  onBusy,
  others,
}: InboundStreamsInit): InboundStreams {
  const handlers = new Map<string, { handler: StreamHandler; max: number }>()
  const connections = new WeakMap<readonly Stream[], Connection>()
  const waiting = new WeakMap<readonly Stream[], (() => void)[]>()

  const say = (stream: Stream, ...parts: Uint8Array[]): void => {
    // Discard what follows: the request.
    stream.addEventListener('message', () => {})
    stream.send(concatBytes(...parts))
    stream.close().catch(() => {})
    linger(stream, lingerMs)
  }
  const serve = (stream: Stream, streams: readonly Stream[], protocol: string): void => {
    const { handler, max } = handlers.get(protocol)!
    const connection = connections.get(streams)
    const same = streams.filter((item) => item.direction === 'inbound' && item.protocol === protocol)
    stream.protocol = protocol
    if (connection === undefined || same.length >= max) {
      stream.abort(new Error('too many streams'))
      return
    }
    stream.send(concatBytes(line(MULTISTREAM), line(protocol)))
    handler(stream, connection)
  }
  const isMembers = (streams: readonly Stream[]): boolean => {
    const connection = connections.get(streams)
    return connection !== undefined && isMember(connection)
  }
  const isFull = (streams?: readonly Stream[]): boolean =>
    inFlight() >= REQUESTS_AT_ONCE && isLagging() && (streams === undefined || !isMembers(streams))
  const whenOpened = (streams: readonly Stream[], task: () => void): void => {
    if (connections.has(streams)) task()
    else waiting.set(streams, [...(waiting.get(streams) ?? []), task])
  }

  return {
    async handle(protocols, handler, options) {
      for (const protocol of [protocols].flat()) {
        handlers.set(protocol, { handler, max: options?.maxInboundStreams ?? 1 })
      }
    },
    isRequest: (protocol) => handlers.has(protocol),
    isFull,
    room: () => (isLagging() ? 0 : Math.max(0, REQUESTS_AT_ONCE - inFlight())),
    refused(head, streams) {
      const named = headToName(head)
      if (typeof named === 'string' || !handlers.has(named.name) || !isFull(streams)) return undefined
      onBusy(named.name)
      return named.name
    },
    end: () => handlers.clear(),
    opened(connection) {
      const streams = connection.streams
      connections.set(streams, connection)
      for (const task of waiting.get(streams) ?? []) task()
      waiting.delete(streams)
    },
    accept(stream, streams, { pass, hold }) {
      const timer = setTimeout(() => stream.abort(new Error('it names no protocol')), readMs).unref()
      stream.addEventListener('close', () => clearTimeout(timer), { once: true })
      let head: Uint8Array = new Uint8Array(0)
      // Nothing catches an error thrown in an event listener. It would end the process.
      const guarded = (task: () => void): void => {
        try {
          task()
        } catch (error) {
          stream.abort(error instanceof Error ? error : new Error('not taken'))
        }
      }
      const read = ({ data }: { data: { subarray(): Uint8Array } }): void => {
        head = concatBytes(head, data.subarray())
        const named = headToName(head)
        if (named === 'more' && head.length < NAMES_MAX_BYTES) return
        stream.removeEventListener('message', listener)
        clearTimeout(timer)
        if (typeof named === 'string') {
          stream.abort(new Error('no multistream-select'))
        } else if (others().includes(named.name)) {
          stream.unshift(head)
          whenOpened(streams, () => guarded(pass))
        } else if (!handlers.has(named.name)) {
          say(stream, line(MULTISTREAM), line('na'))
        } else if (isFull(streams)) {
          onBusy(named.name)
          say(stream, busyAnswer(named.name, hold()))
        } else {
          const { name, bytes } = named
          // Do this before the connection is open. Later the peer may have closed its half, and `unshift` would throw.
          if (head.length > bytes) stream.unshift(head.subarray(bytes))
          whenOpened(streams, () => guarded(() => stream.status === 'open' && serve(stream, streams, name)))
        }
      }
      const listener = (event: { data: { subarray(): Uint8Array } }): void => guarded(() => read(event))
      stream.addEventListener('message', listener)
    },
  }
}

/** Resets a stream whose peer keeps its half open for longer than `ms` after our answer. */
export function linger(stream: Stream, ms: number): void {
  if (stream.status !== 'open') return
  const timer = setTimeout(() => stream.abort(new Error('answered')), ms).unref()
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
}

/** The named protocol and the length of both names; `more` when the names are incomplete, `other` for other bytes. */
function headToName(head: Uint8Array): { name: string; bytes: number } | 'more' | 'other' {
  for (let i = 0; i < Math.min(head.length, HEADER.length); i++) if (head[i] !== HEADER[i]) return 'other'
  const length = head[HEADER.length]
  if (length === undefined) return 'more'
  if (length < 2 || length > 0x7f) return 'other'
  const bytes = HEADER.length + 1 + length
  if (head.length < bytes) return 'more'
  if (head[bytes - 1] !== NEWLINE) return 'other'
  return { name: String.fromCharCode(...head.subarray(HEADER.length + 1, bytes - 1)), bytes }
}

const HEADER = line(MULTISTREAM)

/**
 * The whole answer on a refused stream: both names and the refusal. It is encoded once for each protocol and backoff time,
 * of which there are few, because an overload sends it thousands of times a second.
 */
export function busyAnswer(protocol: string, retryAfterMs: number): Uint8Array {
  const name = `${retryAfterMs} ${protocol}`
  const known = busyAnswers.get(name)
  if (known !== undefined) return known
  const refusal = encodeRefusal(errorToRefusal(busy(retryAfterMs)))
  const answer = concatBytes(line(MULTISTREAM), line(protocol), framed(refusal))
  busyAnswers.set(name, answer)
  return answer
}
const busyAnswers = new Map<string, Uint8Array>()

function line(name: string): Uint8Array {
  return framed(utf8(`${name}\n`))
}

function framed(bytes: Uint8Array): Uint8Array {
  return concatBytes(lengthToBytes(bytes.length), bytes)
}
