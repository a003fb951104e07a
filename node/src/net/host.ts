/**
 * The host of a peer: libp2p with TCP, WebSocket, Noise, yamux and gossipsub, and the HTTPS listener beside it.
 * PROTOCOL.md §6.1, §6.5. The bounds are those of `limits.ts`. Roles use the interface `Host`.
 */
import { busy } from '@geotrace/core-wasm/wire'
import '../platform/polyfill.ts'
import type { Clock } from '@geotrace/core-wasm'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Libp2p } from '@libp2p/interface'
import { createLibp2p } from 'libp2p'
import type { Log } from '../platform/log.ts'
import { systemRandom } from '../platform/random.ts'
import { Connections } from './connections.ts'
import { withDeadline } from './deadline.ts'
import { openGossip } from './gossip.ts'
import { arrivals } from './guard/arrivals.ts'
import { openFilesMax } from './guard/open-files.ts'
import { loopPressure, utilisation } from './guard/pressure.ts'
import { addressToRequester, type RequesterAddress } from './guard/requester.ts'
import { hostOptions } from './host-options.ts'
import { HOST_LIMITS, type HostLimits } from './limits.ts'
import type { Host } from './protocol.ts'
import { requests } from './request.ts'
import { RequestServer } from './serve.ts'
import { gater } from './transport/gater.ts'
import { httpsListener } from './transport/https-listener.ts'
import { InboundStreams } from './transport/inbound-streams.ts'
import { listeningYamux } from './transport/muxer.ts'
import type { AllowsOrigin } from './transport/origins.ts'
import type { CertificateSource } from './transport/tls-certificate.ts'

/** Time that `stop` waits for unfinished answers. */
const DRAIN_MS = 2_000

interface HostInit {
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
  /** Whether web pages of this origin may send requests; none by default. */
  allowsOrigin?: AllowsOrigin
}

/** Opens the network of a role. A simulation passes its own function. */
export type OpenHost = typeof createHost

/** Opens a host that listens already. Rejects when an address is in use. */
export async function createHost(init: HostInit): Promise<Host> {
  const { secret, listen, log, localAddress } = init
  const limits = capSilent({ ...HOST_LIMITS, ...init.limits })
  const privateKey = await generateKeyPairFromSeed('Ed25519', secret)
  const { connections, server, inbound, load, options, attach, waiting } = createParts(init, limits)
  const libp2p = await createLibp2p(hostOptions({ ...options, privateKey, listen, localAddress, limits }))
  attach(libp2p)
  await libp2p.start()
  const gossip = await openGossip(libp2p, log, limits.gossipOpenMs)
  connections.setMembers((connection) => gossip.isAdmitted(connection))
  return {
    key: privateKey.publicKey.raw,
    addresses: () => libp2p.services.listeners.addresses().map((address) => `${address}`.replace(/\/p2p\/.*$/, '')),
    stats: () => ({ connections: connections.table.open, waiting: waiting(), ...server.stats() }),
    serve: (protocol, handler) => server.serve(inbound, protocol, handler),
    ...requests(libp2p, limits, load.isLagging, (connection) => connections.silentMs(connection)),
    gossip,
    async stop() {
      inbound.end()
      const late = () => new Error(`handlers still ran after ${DRAIN_MS} ms`)
      await withDeadline(DRAIN_MS, late, () => server.idle()).catch(() => log.warn('net.not-drained'))
      await libp2p.stop()
      load.stop()
    },
  }
}

/** The parts of a host before its libp2p node exists, and their options for the node. `attach` connects them to it. */
function createParts({ clock, log, certificate, allowsOrigin = () => false }: HostInit, limits: HostLimits) {
  const now = (): number => performance.now()
  const load = loopPressure()
  const inTurn = arrivals(utilisation())
  const onAbuser = ({ prefix }: RequesterAddress): void => {
    if (prefix !== undefined) inTurn.abused(prefix, now())
  }
  const connections = new Connections(limits, clock, log, onAbuser)
  const makeRoom: Connections['makeRoom'] = (newcomer, refusal) => connections.makeRoom(newcomer, refusal)
  const server = new RequestServer(limits, log, (connection) => connections.used(connection))
  let protocols = (): readonly string[] => []
  const inbound = new InboundStreams({
    ...limits,
    isLagging: load.isLagging,
    inFlight: () => server.inFlight,
    isMember: (connection) => connections.isMember(connection),
    onBusy: (protocol) => server.countBusy(protocol),
    others: () => protocols(),
  })
  const https = httpsListener({
    limits,
    table: connections.table,
    clock,
    now,
    protocol: (path) => server.protocol(path),
    answer: (protocol, request, from) => server.answer(protocol, request, from),
    refuse: (protocol) => server.refuse(protocol, busy()),
    isFull: () => inbound.isFull(),
    allowsOrigin,
    onAbuse: onAbuser,
    makeRoom,
  })
  connections.addOccupants(https.occupants)
  const onReceived = (streams: readonly unknown[]): void => connections.received(streams)
  const onAbuse = (streams: readonly unknown[]): void => connections.abused(streams)
  let waiting = 0
  const onWait = (more: 1 | -1): void => {
    waiting += more
  }
  const admission = { arrivals: inTurn, onWait, now }
  return {
    connections,
    server,
    inbound,
    load,
    waiting: () => waiting,
    options: {
      admission,
      allowsOrigin,
      secure: certificate && { certificate, serveHttps: https.attach },
      muxer: listeningYamux({ limits, now, random: systemRandom, inbound, onReceived, onAbuse }),
      gater: gater({ table: connections.table, clock, makeRoom, isLagging: load.isLagging }),
    },
    attach(libp2p: Libp2p): void {
      protocols = () => libp2p.getProtocols()
      connections.attach(libp2p)
      forgetProtocols(libp2p)
      libp2p.addEventListener('connection:open', ({ detail }) => {
        connections.opened(detail)
        inbound.opened(detail)
        const { fence } = addressToRequester(detail.remoteAddr.toString())
        if (fence !== undefined && connections.isMember(detail)) inTurn.addMember(fence)
      })
      // A client uses a new key for each connection. Without this removal the peer store would grow without bound.
      libp2p.addEventListener('peer:disconnect', ({ detail }) => void libp2p.peerStore.delete(detail).catch(() => {}))
    },
  }
}

/** Caps the silent sockets of a port, so that those of both listeners use at most half of the allowed open files. */
function capSilent(limits: HostLimits): HostLimits {
  return { ...limits, silent: Math.min(limits.silent, Math.floor(openFilesMax() / 4)) }
}

/**
 * Replaces a write that no code here reads: libp2p stores the protocol of the peer at each stream that it opens.
 * Gain: a request costs both ends 0.8 ms of CPU instead of 1.5 ms, most of it at the client (two busy cores, 2026-11).
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
