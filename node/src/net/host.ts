/**
 * A peer on the network: libp2p with TCP and WebSocket, Noise and yamux, and nothing else. PROTOCOL.md §6.1.
 * No identify, DHT, relay or discovery: whom to talk to is written in the manifest and the rosters.
 */
import '../polyfill.ts'
import type { Clock } from '@geotrace/core-wasm'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Libp2p } from '@libp2p/interface'
import { type TCPOptions, tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Log } from '../log.ts'
import { connectionBook } from './connection-book.ts'
import { withDeadline } from './deadline.ts'
import { gater } from './gater.ts'
import {
  HOST_LIMITS,
  type HostLimits,
  STREAM_WINDOW_BYTES,
  STREAM_WRITE_BUFFER_BYTES,
  STREAMS_PER_CONNECTION,
} from './limits.ts'
import { noise } from './noise.ts'
import type { Host } from './protocol.ts'
import { requests } from './request.ts'
import { addressToSource } from './requester.ts'
import { server } from './serve.ts'
import { guardedWebSockets } from './websocket.ts'

/** How long `stop` waits for answers under way. */
const DRAIN_MS = 2_000
/** The same for every peer of every version: an agent string tells strangers what to attack. */
const USER_AGENT = 'geotrace'

export interface HostInit {
  /** 32-byte Ed25519 seed; the peer id follows from it. */
  secret: Uint8Array
  /** Multiaddrs; none for a peer that only asks. */
  listen: readonly string[]
  clock: Clock
  log: Log
  limits?: Partial<HostLimits>
  /** Local address of outgoing TCP connections. */
  localAddress?: string
}

/** How a role comes by its network; a simulation brings its own. */
export type OpenHost = typeof createHost

/** A host that listens already. Rejects when an address is taken. */
export async function createHost({ secret, listen, clock, log, limits, localAddress }: HostInit): Promise<Host> {
  const bounds: HostLimits = { ...HOST_LIMITS, ...limits }
  const privateKey = await generateKeyPairFromSeed('Ed25519', secret)
  const book = connectionBook(bounds)
  const lastUse = new WeakMap<Connection, number>()
  const makeRoom = (prefix?: string): boolean => evictIdle(libp2p, lastUse, clock.now() - bounds.idleMs, prefix)
  const libp2p = await createLibp2p({
    privateKey,
    addresses: { listen: [...listen] },
    transports: [tcp(tcpOptions(localAddress)), guardedWebSockets(bounds)],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux(YAMUX)],
    connectionGater: gater(book, clock, (prefix) => makeRoom(prefix)),
    connectionManager: {
      // Ours are in the gater and count by prefix; the stock ones only have to stay out of the way.
      maxConnections: Number.MAX_SAFE_INTEGER,
      maxIncomingPendingConnections: Number.MAX_SAFE_INTEGER,
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
      inboundUpgradeTimeout: bounds.upgradeMs,
      inboundStreamProtocolNegotiationTimeout: bounds.readMs,
      dialTimeout: bounds.dialMs,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
    nodeInfo: { name: USER_AGENT, version: '1', userAgent: USER_AGENT },
    services: { listeners: ({ transportManager }: Listeners) => ({ addresses: () => transportManager.getAddrs() }) },
  })
  libp2p.addEventListener('connection:open', ({ detail }) => lastUse.set(detail, clock.now()))
  // Clients come with a new key each time: whoever has left is forgotten, or the store grows for ever.
  libp2p.addEventListener('peer:disconnect', ({ detail }) => void libp2p.peerStore.delete(detail).catch(() => {}))
  const answering = server(bounds, log, (connection) => lastUse.set(connection, clock.now()))

  return {
    key: privateKey.publicKey.raw,
    addresses: () =>
      libp2p.services.listeners.addresses().map((address) => address.toString().replace(/\/p2p\/.*$/, '')),
    serve: (protocol, handler) => answering.serve(libp2p, protocol, handler),
    request: requests(libp2p, bounds),
    async stop() {
      await libp2p.unhandle(libp2p.getProtocols())
      const late = () => new Error('not drained')
      await withDeadline(DRAIN_MS, late, () => answering.idle()).catch(() => log.warn('net.not-drained'))
      await libp2p.stop()
    },
  }
}

interface Listeners {
  transportManager: { getAddrs(): Multiaddr[] }
}

const YAMUX = {
  maxInboundStreams: STREAMS_PER_CONNECTION,
  maxEarlyStreams: 4,
  // Silence must be visible: the transport closes a connection after two quiet minutes.
  enableKeepAlive: false,
  streamOptions: {
    // Whoever keeps its half open after our answer holds a stream no longer than this.
    inactivityTimeout: 15_000,
    initialStreamWindowSize: STREAM_WINDOW_BYTES,
    maxStreamWindowSize: STREAM_WINDOW_BYTES,
    maxReadBufferLength: STREAM_WINDOW_BYTES,
    maxWriteBufferLength: STREAM_WRITE_BUFFER_BYTES,
  },
}

/** `localAddress` reaches net.connect through the dial options, though the type does not name it. */
function tcpOptions(localAddress: string | undefined): TCPOptions {
  return localAddress === undefined ? {} : { dialOpts: { localAddress } as NonNullable<TCPOptions['dialOpts']> }
}

function evictIdle(libp2p: Libp2p, lastUse: WeakMap<Connection, number>, beforeMs: number, prefix?: string): boolean {
  const used = (connection: Connection): number => lastUse.get(connection) ?? 0
  const [oldest] = libp2p
    .getConnections()
    .filter(({ direction, streams, status }) => direction === 'inbound' && streams.length === 0 && status === 'open')
    .filter((connection) => used(connection) <= beforeMs)
    .filter(({ remoteAddr }) => prefix === undefined || addressToSource(remoteAddr.toString()).prefix === prefix)
    .sort((a, b) => used(a) - used(b))
  oldest?.abort(new Error('idle'))
  return oldest !== undefined
}
