/**
 * A session over libp2p: Noise, yamux, TCP in Node and WebSocket everywhere. PROTOCOL.md §6. A session is a libp2p host with
 * a key of its own, no listener and no identify. A stable peer id, a listen address or an agent string would link one sync
 * with the next. Throws PEER_UNREACHABLE, PEER_TIMEOUT, MESSAGE_TOO_LARGE, ABORTED.
 */
import { FederationError, polyfillPromise } from '@geotrace/core-wasm'
import { bytesToHex, keyToPeerId, type PeerAddress, type Protocol } from '@geotrace/core-wasm/wire'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { anySignal } from 'any-signal'
import type { RequestOptions, Session } from './dialer.ts'
import { isNode } from './runtime.ts'

/** A Noise handshake over a slow mobile link. */
const DIAL_TIMEOUT_MS = 10_000
/** The central peer may wait for its disk. */
const STEP_TIMEOUT_MS = 15_000
const STOP_TIMEOUT_MS = 2_000
const DIALS_IN_PARALLEL = 4

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
  const [{ createLibp2p }, { noise }, { yamux }, { webSockets }, { generateKeyPair }] = await Promise.all([
    import('libp2p'),
    import('@chainsafe/libp2p-noise'),
    import('@libp2p/yamux'),
    import('@libp2p/websockets'),
    import('@libp2p/crypto/keys'),
  ])
  const transports = [webSockets()]
  if (isNode()) {
    const { tcp } = await import('@libp2p/tcp')
    // The socket takes every option of net.connect. The declared type names only some.
    transports.unshift(tcp(localAddress === undefined ? {} : { dialOpts: { localAddress } as object }))
  }
  return createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    addresses: { listen: [], announceFilter: () => [] },
    transports,
    connectionEncrypters: [noise()],
    // A session is too short for keep-alive pings.
    streamMuxers: [yamux({ enableKeepAlive: false })],
    connectionMonitor: { enabled: false },
    connectionManager: { maxParallelDials: maxDialsInParallel, addressSorter: () => 0 },
    // libp2p refuses private addresses in browsers by default. Here the manifest decides which peers may be dialled.
    connectionGater: { denyDialMultiaddr: () => false },
  })
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
    const stream = await bounded(peer, stepTimeoutMs, outer, (signal) => connection.newStream(protocol.id, { signal }))
    try {
      const { lpStream } = await import('@libp2p/utils')
      const framed = lpStream(stream, { maxDataLength: protocol.replyMaxBytes })
      await bounded(peer, stepTimeoutMs, outer, (signal) => framed.write(frame, { signal }))
      // One request, one reply: the client sends nothing more on this stream.
      await bounded(peer, stepTimeoutMs, outer, (signal) => stream.close({ signal }))
      const reply = await bounded(peer, stepTimeoutMs, outer, (signal) => framed.read({ signal }))
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

/** libp2p's error for a length prefix above the protocol's bound, as MESSAGE_TOO_LARGE. */
function tooLarge(error: unknown, { replyMaxBytes }: Protocol): FederationError | undefined {
  const cause = (error as { cause?: unknown }).cause
  if (!(cause instanceof Error) || !cause.name.startsWith('InvalidData')) return undefined
  const data = { size: replyMaxBytes + 1, max: replyMaxBytes }
  return new FederationError('MESSAGE_TOO_LARGE', `a reply larger than ${replyMaxBytes} bytes`, data, { cause })
}

function abort(stream: Stream, error: unknown): void {
  stream.abort(error instanceof Error ? error : new Error(String(error)))
}

function isWebSocket(address: string): boolean {
  return /\/wss?(\/|$)/.test(address)
}
