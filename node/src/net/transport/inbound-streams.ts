/**
 * What happens to a stream that somebody opens: it names its protocol (multistream-select 1.0) and gets its handler, or
 * BUSY, or nothing. PROTOCOL.md §6.1, §6.5. In libp2p's place, which answers any number of wrong names, keeps up to 4 MiB
 * of what comes meanwhile, and takes as long for this as we for the request (measured 2026-11: 0.4 of 0.7 ms).
 */
import { busy, concatBytes, encodeRefusal, errorToRefusal, utf8 } from '@geotrace/core-wasm/wire'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { lengthToBytes } from './frame.ts'

/**
 * Requests being answered while the event loop is behind: some 40 ms of work, so that whoever is let in is answered soon,
 * and enough that the node never waits for a disk. One that is not whole is none: who sends a byte at a time fills no
 * place of others.
 */
export const REQUESTS_AT_ONCE = 24
/** Both names with their lengths. */
const NAMES_MAX_BYTES = 256
const MULTISTREAM = '/multistream/1.0.0'
const NEWLINE = 10

type StreamHandler = Parameters<Libp2p['handle']>[1]

export interface InboundStreams {
  /** As of libp2p; `maxInboundStreams` is of one connection. */
  readonly handle: Libp2p['handle']
  isRequest(protocol: string): boolean
  /** Whether requests are being turned away; not those of members, by the streams of whose connection they are known. */
  isFull(streams?: readonly Stream[]): boolean
  /** How many requests may be let in before others are turned away; none while the event loop is behind. */
  room(): number
  /** The protocol that one of these streams names with its first bytes, when it is turned away. */
  refused(head: Uint8Array, streams: readonly Stream[]): string | undefined
  /** From now on nothing is handled. */
  end(): void
  /** The connection is open; `streams` of its muxer are known by it. */
  opened(connection: Connection): void
  accept(stream: Stream, streams: readonly Stream[], instead: Instead): void
}

/** What may be done with a stream that gets no handler. */
export interface Instead {
  /** Gives it to libp2p, with all that came on it. */
  pass(): void
  /** Holds its connection back, whose request was turned away; for how long, ms. */
  hold(): number
}

export interface InboundStreamsInit {
  /** To name a protocol. */
  readMs: number
  /** Until a stream that was answered is closed by the other side too. */
  lingerMs: number
  /** Whether the event loop stays behind. */
  isLagging(): boolean
  /** Requests being answered. */
  inFlight(): number
  /** Whether it is with a member of the federation: what they ask of each other goes on when there is too much to do. */
  isMember(connection: Connection): boolean
  /** A request for this protocol is told BUSY. */
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
    // What follows is the request; nobody reads it.
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
      // What a listener throws nobody catches: it would end the process.
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
          // Now, not when the connection is open: by then the other side may have ended its half, and that would throw.
          if (head.length > bytes) stream.unshift(head.subarray(bytes))
          whenOpened(streams, () => guarded(() => stream.status === 'open' && serve(stream, streams, name)))
        }
      }
      const listener = (event: { data: { subarray(): Uint8Array } }): void => guarded(() => read(event))
      stream.addEventListener('message', listener)
    },
  }
}

/** Whoever keeps its half open after our answer holds a stream, and with it a connection, no longer than this. */
export function linger(stream: Stream, ms: number): void {
  if (stream.status !== 'open') return
  const timer = setTimeout(() => stream.abort(new Error('answered')), ms).unref()
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
}

/** The protocol named after the header and the bytes of both; `more` when they are not whole, `other` for anything else. */
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

/** All that is said on a stream that is turned away. Made once for each protocol and each of the few times there are. */
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
