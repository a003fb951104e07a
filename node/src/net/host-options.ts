/**
 * The options of a host's libp2p node. PROTOCOL.md §6.1. Pure.
 * The host has no identify, DHT, relay or discovery, because the manifest and the rosters list all peers.
 */
import type { ConnectionGater, Logger, PrivateKey, StreamMuxerFactory } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { gossipServices } from './gossip.ts'
import type { AdmissionInit } from './guard/admission.ts'
import type { HostLimits } from './limits.ts'
import { isHttpsAddress } from './transport/https-listener.ts'
import { noise } from './transport/noise.ts'
import type { AllowsOrigin } from './transport/origins.ts'
import { guardedTcp } from './transport/tcp.ts'
import { guardedWebSockets, type SecureInit } from './transport/websocket.ts'

/** Equal for all peers and versions, because a version in the agent string helps attackers. */
const USER_AGENT = 'geotrace'

interface HostOptionsInit {
  privateKey: PrivateKey
  listen: readonly string[]
  localAddress: string | undefined
  limits: HostLimits
  admission: AdmissionInit
  allowsOrigin: AllowsOrigin
  /** For addresses that end in `/tls/ws`. */
  secure: SecureInit | undefined
  muxer: () => StreamMuxerFactory
  gater: ConnectionGater
}

export function hostOptions({
  privateKey,
  listen,
  localAddress,
  limits,
  admission,
  allowsOrigin,
  secure,
  muxer,
  gater,
}: HostOptionsInit) {
  return {
    start: false,
    privateKey,
    logger: { forComponent: () => NO_LOG },
    // HTTPS shares the port of the secure WebSocket.
    addresses: { listen: listen.filter((address) => !isHttpsAddress(address)) },
    transports: [
      guardedTcp(localAddress, limits, admission),
      guardedWebSockets(limits, admission, allowsOrigin, secure),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    connectionGater: gater,
    connectionManager: {
      // The gater counts by prefix. Raise the stock bounds, so that they refuse nothing before it.
      maxConnections: Number.MAX_SAFE_INTEGER,
      maxIncomingPendingConnections: Number.MAX_SAFE_INTEGER,
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
      inboundUpgradeTimeout: limits.upgradeMs,
      inboundStreamProtocolNegotiationTimeout: limits.readMs,
      dialTimeout: limits.dialMs,
      reconnectRetries: 0,
    },
    connectionMonitor: { enabled: false },
    nodeInfo: { name: USER_AGENT, version: '1', userAgent: USER_AGENT },
    services: {
      ...gossipServices(),
      listeners: ({ transportManager }: Listeners) => ({ addresses: () => transportManager.getAddrs() }),
    },
  }
}

interface Listeners {
  transportManager: { getAddrs(): Multiaddr[] }
}

/** Replaces libp2p's log, which names peers and addresses. Unused, that log still takes a tenth of a request's time. */
const NO_LOG: Logger = Object.assign(() => {}, {
  enabled: false,
  error: () => {},
  trace: () => {},
  newScope: () => NO_LOG,
})
