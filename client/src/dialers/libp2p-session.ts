/**
 * A session over libp2p: Noise, yamux, TCP in Node and WebSocket everywhere. PROTOCOL.md §6. A session is a libp2p host with
 * a key of its own, no listener and no identify. A stable peer id, a listen address or an agent string would link one sync
 * with the next. Each connection has the bounds of PROTOCOL.md §6.5, so that a hostile peer costs it at most some 4 MiB.
 * Throws PEER_UNREACHABLE, PEER_TIMEOUT, MESSAGE_TOO_LARGE, ABORTED.
 */
import { FederationError, polyfillPromise, systemClock } from '@geotrace/core-wasm'
import {
  boundWebSockets,
  guardedYamux,
  outboundGater,
  STREAMS_PER_CONNECTION,
  WORK_PER_SECOND,
} from '@geotrace/core-wasm/transport'
import { bytesToHex, keyToPeerId, type PeerAddress, type Protocol } from '@geotrace/core-wasm/wire'
import type { Connection, Libp2p, Stream, StreamMuxerFactory } from '@libp2p/interface'
import { anySignal } from 'any-signal'
import type { RequestOptions, Session } from './dialer.ts'
import { isNode } from './runtime.ts'

/** A Noise handshake over a slow mobile link. */
const DIAL_TIMEOUT_MS = 10_000
/** The central peer may wait for its disk. */
const STEP_TIMEOUT_MS = 15_000
const STOP_TIMEOUT_MS = 2_000
const DIALS_IN_PARALLEL = 4
/** Time from the reply until the peer must have closed its half of the stream. */
const LINGER_MS = 2_000
/** Work that a peer may cause at once besides its replies: pings and window updates. */
const WORK_BURST = 1_000
/** A length prefix has at most three bytes. */
const PREFIX_MAX_BYTES = 3

export interface Libp2pDialerOptions {
  /** The local address from which TCP connections leave. */
  localAddress?: string
  /** Several dials at once help only when peers are down; each costs a handshake. */
  maxDialsInParallel?: number
  dialTimeoutMs?: number
  /** For each step: opening a stream, writing the request, reading the reply. */
  stepTimeoutMs?: number
}

export async function openLibp2pSession(options: Libp2pDialerOptions): Promise<Session> {
  return nodeToSession(await openNode(options), options)
}

async function openNode({
  localAddress,
  maxDialsInParallel = DIALS_IN_PARALLEL,
}: Libp2pDialerOptions): Promise<Libp2p> {
  polyfillPromise()
  const [{ createLibp2p }, { noise }, { generateKeyPair }] = await Promise.all([
    import('libp2p'),
    import('@chainsafe/libp2p-noise'),
    import('@libp2p/crypto/keys'),
  ])
  const [transports, muxer] = await Promise.all([loadTransports(localAddress), loadMuxer()])
  return createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    addresses: { listen: [], announceFilter: () => [] },
    transports,
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    connectionMonitor: { enabled: false },
    connectionManager: { maxParallelDials: maxDialsInParallel, addressSorter: () => 0 },
    connectionGater: outboundGater(),
  })
}

type MakeTransport = NonNullable<NonNullable<Parameters<typeof import('libp2p').createLibp2p>[0]>['transports']>[number]

/** TCP and WebSocket in Node, WebSocket in a browser. */
async function loadTransports(localAddress: string | undefined): Promise<MakeTransport[]> {
  const { webSockets } = await import('@libp2p/websockets')
  if (!isNode()) return [webSockets()]
  const [{ tcp }, { multiaddrToUri }, { WebSocket }] = await Promise.all([
    import('@libp2p/tcp'),
    import('@multiformats/multiaddr-to-uri'),
    import('ws'),
  ])
  return [
    // The socket takes every option of net.connect. The declared type names only some.
    tcp(localAddress === undefined ? {} : { dialOpts: { localAddress } as object }),
    (components) => boundWebSockets(webSockets()(components), { Socket: WebSocket, toUri: multiaddrToUri }),
  ]
}

/** Peers open no streams to a device, so that each stream of theirs is reset. */
async function loadMuxer(): Promise<() => StreamMuxerFactory> {
  const { yamux } = await import('@libp2p/yamux')
  const limits = { workPerSecond: WORK_PER_SECOND, workBurst: WORK_BURST }
  return guardedYamux({ yamux, limits, inboundStreams: 0, now: systemClock().now })
}

function nodeToSession(node: Libp2p, options: Libp2pDialerOptions): Session {
  const { dialTimeoutMs = DIAL_TIMEOUT_MS, stepTimeoutMs = STEP_TIMEOUT_MS } = options
  /** One connection for each peer. libp2p lets two dials share a connection, so closing it for one breaks the other. */
  const connections = new Map<string, Promise<Connection>>()

  async function connect(peer: PeerAddress, outer: AbortSignal | undefined): Promise<Connection> {
    const id = bytesToHex(peer.key)
    const known = connections.get(id)
    // A peer under load may have closed the connection meanwhile.
    if (known !== undefined && (await known).status === 'open') return known
    const connection = bounded(peer, dialTimeoutMs, outer, (signal) => dial(node, peer, signal))
    connections.set(id, connection)
    connection.catch(() => connections.delete(id))
    return connection
  }

  async function request(
    peer: PeerAddress,
    protocol: Protocol,
    frame: Uint8Array,
    { signal: outer }: RequestOptions = {},
  ): Promise<Uint8Array> {
    if (frame.length > protocol.requestMaxBytes) {
      throw new RangeError(`"frame" expected at most ${protocol.requestMaxBytes} bytes, got ${frame.length}`)
    }
    const connection = await connect(peer, outer)
    const stream = await bounded(peer, stepTimeoutMs, outer, (signal) =>
      connection.newStream(protocol.id, { signal, maxOutboundStreams: STREAMS_PER_CONNECTION }),
    )
    try {
      const { lpStream } = await import('@libp2p/utils')
      const { replyMaxBytes } = protocol
      const bounds = { maxDataLength: replyMaxBytes, maxBufferSize: replyMaxBytes + PREFIX_MAX_BYTES }
      const framed = lpStream(stream, bounds)
      await bounded(peer, stepTimeoutMs, outer, (signal) => framed.write(frame, { signal }))
      // One request, one reply: the client sends nothing more on this stream.
      await bounded(peer, stepTimeoutMs, outer, (signal) => stream.close({ signal }))
      const reply = await bounded(peer, stepTimeoutMs, outer, (signal) => framed.read({ signal }))
      endStream(stream)
      return reply.slice()
    } catch (error) {
      abort(stream, error)
      throw tooLarge(error, protocol) ?? error
    }
  }

  return {
    request,
    async close() {
      const timeout = AbortSignal.timeout(STOP_TIMEOUT_MS)
      const past = new Promise<void>((resolve) => timeout.addEventListener('abort', () => resolve()))
      await Promise.race([node.stop(), past]).catch(() => undefined)
    },
  }
}

async function dial(node: Libp2p, { key, addresses }: PeerAddress, signal: AbortSignal): Promise<Connection> {
  const { multiaddr } = await import('@multiformats/multiaddr')
  const reachable = addresses.filter((address) => isWebSocket(address) || (isNode() && !/\/https?(\/|$)/.test(address)))
  // TCP first, because a WebSocket costs an additional HTTP upgrade.
  reachable.sort((a, b) => Number(isWebSocket(a)) - Number(isWebSocket(b)))
  if (reachable.length === 0) throw new Error('the peer has no address that this machine can dial')
  const suffix = `/p2p/${keyToPeerId(key)}`
  return node.dial(
    reachable.map((address) => multiaddr(address.includes('/p2p/') ? address : `${address}${suffix}`)),
    { signal },
  )
}

/** Runs one step under a deadline, and turns its failure into a FederationError. */
async function bounded<T>(
  peer: PeerAddress,
  ms: number,
  outer: AbortSignal | undefined,
  step: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(ms)
  const signal = anySignal([timeout, outer])
  const id = keyToPeerId(peer.key)
  try {
    return await step(signal)
  } catch (cause) {
    if (outer?.aborted === true) throw new FederationError('ABORTED', 'the request was aborted', undefined, { cause })
    if (timeout.aborted) {
      throw new FederationError('PEER_TIMEOUT', `${id} did not answer within ${ms} ms`, { peer: id }, { cause })
    }
    throw new FederationError(
      'PEER_UNREACHABLE',
      `${id} cannot be reached`,
      { tried: peer.addresses.length },
      { cause },
    )
  } finally {
    signal.clear()
  }
}

/** libp2p's errors for a length prefix or bytes above the protocol's bound, as MESSAGE_TOO_LARGE. */
function tooLarge(error: unknown, { replyMaxBytes }: Protocol): FederationError | undefined {
  const cause = (error as { cause?: unknown }).cause
  if (!(cause instanceof Error) || !/^(InvalidData|StreamBuffer)/.test(cause.name)) return undefined
  const data = { size: replyMaxBytes + 1, max: replyMaxBytes }
  return new FederationError('MESSAGE_TOO_LARGE', `a reply larger than ${replyMaxBytes} bytes`, data, { cause })
}

/** Resets a stream after its reply, unless the peer closes its half soon: what it still sends would fill a buffer. */
function endStream(stream: Stream): void {
  if (stream.status !== 'open') return
  const timeout = AbortSignal.timeout(LINGER_MS)
  const end = (): void => abort(stream, new Error(`the peer kept its half open for ${LINGER_MS} ms after the reply`))
  timeout.addEventListener('abort', end, { once: true })
  stream.addEventListener('close', () => timeout.removeEventListener('abort', end), { once: true })
}

function abort(stream: Stream, error: unknown): void {
  stream.abort(error instanceof Error ? error : new Error(String(error)))
}

function isWebSocket(address: string): boolean {
  return /\/wss?(\/|$)/.test(address)
}
