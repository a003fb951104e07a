/**
 * The network as a role sees it: framed requests with bounds and deadlines, and the requester of each. PROTOCOL.md §6.
 * `host.ts` implements this interface over libp2p. Roles know no libp2p.
 */
import type { PeerAddress, Protocol } from '@geotrace/core-wasm/wire'
import type { Gossip } from './gossip.ts'
import type { RequesterNetworks } from './guard/requester.ts'

/** The sender of a request. */
export interface Requester extends RequesterNetworks {
  /** Ed25519 key of the remote peer id; undefined over HTTPS and for other key types, which no member has. */
  readonly key: Uint8Array | undefined
}

/** Returns the bytes of the reply. A FederationError becomes its status, any other error becomes INTERNAL. */
export type Handler = (request: Uint8Array, from: Requester) => Promise<Uint8Array>

/** Requests of one protocol since the start of the host, for the status page and metrics. */
interface ProtocolStats {
  readonly answered: number
  /** Refused requests by error code. */
  readonly refused: Readonly<Record<string, number>>
  /** Bytes of the frames of both directions, without the overhead of Noise, yamux and TCP. */
  readonly bytes: number
}
/** Counts of a host. They contain no address and no key. */
export interface HostStats {
  /** Open inbound connections. */
  readonly connections: number
  /** Waiting sockets: silent so far, or of a requester that connects again too soon. */
  readonly waiting: number
  /** Requests that handlers are answering now. */
  readonly inFlight: number
  /** Counts by protocol id. */
  readonly protocols: Readonly<Record<string, ProtocolStats>>
}

/** A peer to dial. */
export interface DialTarget extends PeerAddress {
  /** Those of its addresses that only its own presence names. After a failed dial they are left out for a while. */
  readonly unlisted?: readonly string[]
}

interface HostRequestOptions {
  signal?: AbortSignal
  /** A shorter deadline for the answer than the host's own, ms. */
  withinMs?: number
}

export interface Host {
  readonly key: Uint8Array
  /** Multiaddrs that the host listens on, without the peer id. */
  addresses(): string[]
  stats(): HostStats
  serve(protocol: Protocol, handler: Handler): Promise<void>
  /** The bytes of the reply. Throws PEER_UNREACHABLE, PEER_TIMEOUT, MESSAGE_TOO_LARGE, ABORTED, BUSY. */
  request(peer: DialTarget, protocol: Protocol, request: Uint8Array, options?: HostRequestOptions): Promise<Uint8Array>
  /** Opens a connection to the peer unless one is open. Throws PEER_UNREACHABLE, PEER_TIMEOUT. */
  link(peer: DialTarget): Promise<void>
  isLinked(key: Uint8Array): boolean
  /** Whether the host received bytes from this peer in the last `withinMs`, on the connection that it uses. */
  hasReceivedFrom?(key: Uint8Array, withinMs: number): boolean
  readonly gossip: Gossip
  stop(): Promise<void>
}
