/**
 * The libp2p host of a peer: TCP and WebSocket, Noise, yamux and gossipsub. PROTOCOL.md §6.1.
 * The host has no identify, DHT, relay or discovery, because the manifest and the rosters list all peers.
 */
import { busy } from '@geotrace/core-wasm/wire'
import '../platform/polyfill.ts'
import type { Clock } from '@geotrace/core-wasm'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, Logger } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Log } from '../platform/log.ts'
import { systemRandom } from '../platform/random.ts'
import { withDeadline } from './deadline.ts'
import { gossipServices, type HostGossip, openGossip } from './gossip.ts'
import type { AdmissionInit } from './guard/admission.ts'
import { arrivals } from './guard/arrivals.ts'
import { connectionTable } from './guard/connection-table.ts'
import { openFilesMax } from './guard/open-files.ts'
import { loopPressure, saturation } from './guard/pressure.ts'
import { addressToSource, type Source } from './guard/requester.ts'
import { HOST_LIMITS, type HostLimits } from './limits.ts'
import type { Host } from './protocol.ts'
import { requests } from './request.ts'
import { server } from './serve.ts'
import { gater } from './transport/gater.ts'
import { httpsListener, isHttpsAddress } from './transport/https-listener.ts'
import { inboundStreams } from './transport/inbound-streams.ts'
import { guardedYamux } from './transport/muxer.ts'
import { noise } from './transport/noise.ts'
import { guardedTcp } from './transport/tcp.ts'
import type { CertificateSource } from './transport/tls-certificate.ts'
import { guardedWebSockets } from './transport/websocket.ts'

/** Time that `stop` waits for unfinished answers. */
const DRAIN_MS = 2_000
/** Equal for all peers and versions, because a version in the agent string helps attackers. */
const USER_AGENT = 'geotrace'

export interface HostInit {
  /** 32-byte Ed25519 seed, which determines the peer id. */
  secret: Uint8Array
  /** Multiaddrs to listen on; none for a client. */
  listen: readonly string[]
  clock: Clock
  log: Log
  limits?: Partial<HostLimits>
  /** Local address of outgoing TCP connections. */
  localAddress?: string
  /** TLS certificate for addresses that end in `/tls/ws`: secure WebSocket and HTTPS on one port. */
  certificate?: CertificateSource
}

/** Opens the network of a role. A simulation passes its own function. */
export type OpenHost = typeof createHost

/** Opens a host that listens already. Rejects when an address is in use. */
export async function createHost(init: HostInit): Promise<Host> {
  const { secret, listen, clock, log, limits, localAddress, certificate } = init
  const bounds = fitted({ ...HOST_LIMITS, ...limits })
  const privateKey = await generateKeyPairFromSeed('Ed25519', secret)
  const table = connectionTable(bounds)
  const lastUse = new WeakMap<Connection, number>()
  const makeRoom = (source: Source, isFull: boolean): boolean =>
    evict(libp2p, { lastUse, beforeMs: clock.now() - bounds.idleMs, isMember }, source, isFull)
  const punish = ({ direction, remoteAddr }: Connection): void => {
    if (direction === 'inbound') table.punish(addressToSource(remoteAddr.toString()), clock.now())
  }
  /** Monotonic time of the last received bytes, by the streams of a connection. */
  const heardMs = new WeakMap<readonly unknown[], number>()
  /** Streams of connections that were closed for abuse before libp2p reported them as open. */
  const abusive = new WeakSet<readonly unknown[]>()
  let gossip: HostGossip | undefined
  const isMember = (connection: Connection): boolean => gossip?.isAdmitted(connection) === true
  const load = loopPressure()
  const inbound = inboundStreams({
    ...bounds,
    isLagging: load.isLagging,
    inFlight: () => answering.inFlight(),
    isMember,
    onBusy: (protocol) => answering.turnedAway(protocol),
    others: () => libp2p.getProtocols(),
  })
  const muxer = guardedYamux({
    limits: bounds,
    now: () => performance.now(),
    random: systemRandom,
    inbound,
    onHeard: (streams) => void heardMs.set(streams, performance.now()),
    onAbuse(streams) {
      log.warn('net.flood-ended')
      abusive.add(streams)
      const connection = libp2p.getConnections().find((item) => item.streams === streams)
      if (connection !== undefined) punish(connection)
    },
  })
  const answering = server(bounds, log, (connection) => lastUse.set(connection, clock.now()))
  const serveHttps = httpsListener({
    limits: bounds,
    table,
    clock,
    now: () => performance.now(),
    protocol: answering.protocol,
    answer: answering.answer,
    refuse: (protocol) => answering.refuse(protocol, busy()),
    isFull: inbound.isFull,
    makeRoom,
  })
  let waiting = 0
  const admission: AdmissionInit = {
    arrivals: arrivals(saturation()),
    onWait(more) {
      waiting += more
    },
    now: () => performance.now(),
  }
  const libp2p = await createLibp2p({
    privateKey,
    logger: { forComponent: () => quiet },
    // HTTPS shares the port of the secure WebSocket.
    addresses: { listen: listen.filter((address) => !isHttpsAddress(address)) },
    transports: [
      guardedTcp(localAddress, bounds, admission),
      guardedWebSockets(bounds, admission, certificate && { certificate, serveHttps }),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    connectionGater: gater({ table, clock, makeRoom, isLagging: load.isLagging }),
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
    services: {
      ...gossipServices(),
      listeners: ({ transportManager }: Listeners) => ({ addresses: () => transportManager.getAddrs() }),
    },
  })
  libp2p.addEventListener('connection:open', ({ detail }) => {
    if (abusive.has(detail.streams)) punish(detail)
    lastUse.set(detail, clock.now())
    inbound.opened(detail)
    const { fence } = addressToSource(detail.remoteAddr.toString())
    if (fence !== undefined && isMember(detail)) admission.arrivals.know(fence)
  })
  // A client uses a new key for each connection. Without this removal the peer store would grow without bound.
  libp2p.addEventListener('peer:disconnect', ({ detail }) => void libp2p.peerStore.delete(detail).catch(() => {}))
  forgetProtocols(libp2p)
  gossip = await openGossip(libp2p, log)
  return {
    key: privateKey.publicKey.raw,
    addresses: () =>
      libp2p.services.listeners.addresses().map((address) => address.toString().replace(/\/p2p\/.*$/, '')),
    stats: () => ({ connections: table.open, waiting, ...answering.stats() }),
    serve: (protocol, handler) => answering.serve(inbound, protocol, handler),
    ...requests(libp2p, bounds, load.isLagging, ({ streams }) => performance.now() - (heardMs.get(streams) ?? 0)),
    gossip,
    async stop() {
      inbound.end()
      const late = () => new Error('not drained')
      await withDeadline(DRAIN_MS, late, () => answering.idle()).catch(() => log.warn('net.not-drained'))
      await libp2p.stop()
      load.stop()
    },
  }
}

/** Caps the silent sockets of a port, so that those of both listeners use at most half of the allowed open files. */
function fitted(limits: HostLimits): HostLimits {
  return { ...limits, silent: Math.min(limits.silent, Math.floor(openFilesMax() / 4)) }
}

interface Listeners {
  transportManager: { getAddrs(): Multiaddr[] }
}

/** Replaces libp2p's log, which names peers and addresses. Unused, that log still takes a tenth of a request's time. */
const quiet: Logger = Object.assign(() => {}, {
  enabled: false,
  error: () => {},
  trace: () => {},
  newScope: () => quiet,
})

/**
 * Replaces a write of libp2p that no code here reads: at each stream both ends store the protocol of the peer.
 * Gain: 4 % of a request.
 */
function forgetProtocols({ peerStore }: Libp2p): void {
  const merge = peerStore.merge.bind(peerStore)
  peerStore.merge = async (peer, data, options) => {
    const isOurs = data.protocols?.every((protocol) => protocol.startsWith('/geotrace/')) === true
    if (isOurs && Object.keys(data).length === 1)
      return { id: peer, addresses: [], protocols: [], metadata: new Map(), tags: new Map() }
    return await merge(peer, data, options)
  }
}

interface Tenancy {
  readonly lastUse: WeakMap<Connection, number>
  /** A connection is idle when its last use is not later than this, ms. */
  readonly beforeMs: number
  /** Members of the federation keep their connections. */
  isMember(connection: Connection): boolean
}

/**
 * Closes the longest idle connection of the newcomer's prefix, or of any prefix when the host is full. When a full host
 * has no idle connection, the fence with the most connections loses one. It must have at least two more than the
 * newcomer's fence. Without this rule sixty addresses could fill the host.
 */
function evict(libp2p: Libp2p, { lastUse, beforeMs, isMember }: Tenancy, newcomer: Source, isFull: boolean): boolean {
  const used = (connection: Connection): number => lastUse.get(connection) ?? 0
  const inbound = libp2p
    .getConnections()
    .filter((connection) => connection.direction === 'inbound' && connection.status === 'open' && !isMember(connection))
    .map((connection) => ({ connection, ...addressToSource(connection.remoteAddr.toString()) }))
    .sort((a, b) => used(a.connection) - used(b.connection))
  const idle = inbound
    .filter(({ connection }) => connection.streams.length === 0 && used(connection) <= beforeMs)
    .find(({ prefix }) => isFull || prefix === newcomer.prefix)
  const victim = idle ?? (isFull ? ofTheGreediest(inbound, newcomer) : undefined)
  victim?.connection.abort(new Error('room for others'))
  return victim !== undefined
}

function ofTheGreediest<T extends Source>(inbound: readonly T[], { fence }: Source): T | undefined {
  const counts = new Map<string | undefined, number>()
  for (const { fence: name } of inbound) counts.set(name, (counts.get(name) ?? 0) + 1)
  const most = Math.max(...counts.values())
  if (most < (counts.get(fence) ?? 0) + 2) return undefined
  return inbound.find(({ fence: name }) => counts.get(name) === most)
}
