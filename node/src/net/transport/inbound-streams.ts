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
type Streams = readonly Stream[]
type Message = { data: { subarray(): Uint8Array } }
type Named = { name: string; bytes: number }

/** Actions for a stream that gets no handler. */
interface Instead {
  /** Gives the stream to libp2p, with all received bytes. */
  pass(): void
  /** Backs off the connection of a refused request. Returns the announced time, ms. */
  backOff(): number
}

interface InboundStreamsInit {
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

/** The streams that peers open on the connections of a host. */
export class InboundStreams implements Pick<Libp2p, 'handle'> {
  readonly #init: InboundStreamsInit
  readonly #handlers = new Map<string, { handler: StreamHandler; max: number }>()
  readonly #connections = new WeakMap<Streams, Connection>()
  readonly #whenOpened = new WeakMap<Streams, (() => void)[]>()

  constructor(init: InboundStreamsInit) {
    this.#init = init
  }

  /** `handle` of libp2p. `maxInboundStreams` counts the streams of one connection. */
  async handle(...[protocols, handler, options]: Parameters<Libp2p['handle']>): Promise<void> {
    for (const protocol of [protocols].flat()) {
      this.#handlers.set(protocol, { handler, max: options?.maxInboundStreams ?? 1 })
    }
  }

  /** Whether libp2p itself handles streams of this protocol, which last. */
  isLasting(protocol: string): boolean {
    return protocol !== '' && !this.#handlers.has(protocol) && this.#init.others().includes(protocol)
  }

  /** Whether the host refuses further requests. It never refuses members, which `streams` of their connection identify. */
  isFull(streams?: Streams): boolean {
    const { inFlight, isLagging } = this.#init
    return inFlight() >= REQUESTS_AT_ONCE && isLagging() && (streams === undefined || !this.#isMember(streams))
  }

  /** How many further requests the host accepts; none during event-loop lag. */
  room(): number {
    const { inFlight, isLagging } = this.#init
    return isLagging() ? 0 : Math.max(0, REQUESTS_AT_ONCE - inFlight())
  }

  /** The protocol that `head`, the first bytes of a stream, names, when the host refuses it. The refusal is counted. */
  refuse(head: Uint8Array, streams: Streams): string | undefined {
    const named = headToName(head)
    if (typeof named === 'string' || !this.#handlers.has(named.name) || !this.isFull(streams)) return undefined
    this.#init.onBusy(named.name)
    return named.name
  }

  /** Removes all handlers. */
  end(): void {
    this.#handlers.clear()
  }

  /** The connection is open. Its `streams` array identifies it from now on. */
  opened(connection: Connection): void {
    const { streams } = connection
    this.#connections.set(streams, connection)
    for (const task of this.#whenOpened.get(streams) ?? []) task()
    this.#whenOpened.delete(streams)
  }

  /** Reads the names on a new stream and dispatches it. */
  accept(stream: Stream, streams: Streams, instead: Instead): void {
    const noName = (): void => stream.abort(new Error(`the stream named no protocol in ${this.#init.readMs} ms`))
    const timer = setTimeout(noName, this.#init.readMs).unref()
    stream.addEventListener('close', () => clearTimeout(timer), { once: true })
    let head: Uint8Array = new Uint8Array(0)
    const read = ({ data }: Message): void => {
      head = concatBytes(head, data.subarray())
      const named = headToName(head)
      if (named === 'more' && head.length < NAMES_MAX_BYTES) return
      stream.removeEventListener('message', listener)
      clearTimeout(timer)
      if (typeof named === 'string') stream.abort(new Error('expected two names of multistream-select 1.0'))
      else this.#dispatch(stream, streams, instead, head, named)
    }
    const listener = (event: Message): void => guarded(stream, () => read(event))
    stream.addEventListener('message', listener)
  }

  #dispatch(stream: Stream, streams: Streams, instead: Instead, head: Uint8Array, { name, bytes }: Named): void {
    if (this.#init.others().includes(name)) {
      stream.unshift(head)
      this.#afterOpening(streams, () => guarded(stream, () => instead.pass()))
    } else if (!this.#handlers.has(name)) {
      this.#answer(stream, concatBytes(line(MULTISTREAM), line('na')))
    } else if (this.isFull(streams)) {
      this.#init.onBusy(name)
      this.#answer(stream, busyAnswer(name, instead.backOff()))
    } else {
      // Do this before the connection is open. Later the peer may have closed its half, and `unshift` would throw.
      if (head.length > bytes) stream.unshift(head.subarray(bytes))
      this.#afterOpening(streams, () => guarded(stream, () => this.#serve(stream, streams, name)))
    }
  }

  #serve(stream: Stream, streams: Streams, protocol: string): void {
    if (stream.status !== 'open') return
    const { handler, max } = this.#handlers.get(protocol)!
    const connection = this.#connections.get(streams)
    const same = streams.filter((item) => item.direction === 'inbound' && item.protocol === protocol)
    stream.protocol = protocol
    if (connection === undefined || same.length >= max) {
      stream.abort(new Error(`expected at most ${max} streams of ${protocol} on a connection, got one more`))
      return
    }
    stream.send(concatBytes(line(MULTISTREAM), line(protocol)))
    handler(stream, connection)
  }

  /** Sends the whole answer and discards what follows on the stream: the request. */
  #answer(stream: Stream, answer: Uint8Array): void {
    stream.addEventListener('message', () => {})
    stream.send(answer)
    stream.close().catch(() => {})
    linger(stream, this.#init.lingerMs)
  }

  #afterOpening(streams: Streams, task: () => void): void {
    if (this.#connections.has(streams)) task()
    else this.#whenOpened.set(streams, [...(this.#whenOpened.get(streams) ?? []), task])
  }

  #isMember(streams: Streams): boolean {
    const connection = this.#connections.get(streams)
    return connection !== undefined && this.#init.isMember(connection)
  }
}

/** Runs a task of an event listener. Nothing catches an error thrown there, so that it would end the process. */
function guarded(stream: Stream, task: () => void): void {
  try {
    task()
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error('the stream failed before its handler'))
  }
}

/** Resets a stream whose peer keeps its half open for longer than `ms` after our answer. */
export function linger(stream: Stream, ms: number): void {
  if (stream.status !== 'open') return
  const timer = setTimeout(
    () => stream.abort(new Error(`the peer kept its half open for ${ms} ms after the answer`)),
    ms,
  ).unref()
  stream.addEventListener('close', () => clearTimeout(timer), { once: true })
}

/** The named protocol and the length of both names; `more` when the names are incomplete, `other` for other bytes. */
function headToName(head: Uint8Array): Named | 'more' | 'other' {
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
