/**
 * What a role sees of the network: framed requests with bounds and deadlines, and who asked. PROTOCOL.md §6.
 * `host.ts` implements it over libp2p; roles know no libp2p.
 */
import type { PeerAddress, Protocol } from '@geotrace/core-wasm/wire'
import type { Gossip } from './gossip.ts'

/** Whoever opened a stream. */
export interface Requester {
  /** Ed25519 key of the remote peer id; undefined for other key types, which no member has. */
  readonly key: Uint8Array | undefined
  /** `4:127.0.0.1` (/32) or `6:fd99:0:0:1` (/56); undefined when relayed or not an IP. Never logged. */
  readonly prefix: string | undefined
  /** The surrounding fence: the /48 of an IPv6 requester; equals `prefix` for IPv4. */
  readonly fence: string | undefined
}

/** Returns the reply's bytes; a FederationError it throws becomes a status, anything else `internal`. */
export type Handler = (request: Uint8Array, from: Requester) => Promise<Uint8Array>

/** Requests of one protocol since the start, for people and pages. */
export interface ProtocolStats {
  readonly answered: number
  /** Turned away, by error code. */
  readonly refused: Readonly<Record<string, number>>
  /** Frames of both directions, without what Noise, yamux and TCP add. */
  readonly bytes: number
}
/** Counts only: nothing here says who. */
export interface HostStats {
  /** Open inbound connections. */
  readonly connections: number
  /** Waiting sockets: silent so far, or of an address that connects again too soon. */
  readonly waiting: number
  /** Requests being answered now. */
  readonly inFlight: number
  /** By protocol id. */
  readonly protocols: Readonly<Record<string, ProtocolStats>>
}

export interface RequestOptions {
  signal?: AbortSignal
  /** Less patience for the answer than the host's own bound, ms. */
  withinMs?: number
}

export interface Host {
  readonly key: Uint8Array
  /** Multiaddrs that it listens on, without the peer id. */
  addresses(): string[]
  stats(): HostStats
  serve(protocol: Protocol, handler: Handler): Promise<void>
  /** The reply's bytes. Throws PEER_UNREACHABLE, PEER_TIMEOUT, MESSAGE_TOO_LARGE, ABORTED. */
  request(peer: PeerAddress, protocol: Protocol, request: Uint8Array, options?: RequestOptions): Promise<Uint8Array>
  /** Opens a connection unless there is one. Throws PEER_UNREACHABLE, PEER_TIMEOUT. */
  link(peer: PeerAddress): Promise<void>
  isLinked(key: Uint8Array): boolean
  /** Whether something came from this peer in the last `withinMs`, on the connection that is used. */
  isHeard?(key: Uint8Array, withinMs: number): boolean
  readonly gossip: Gossip
  stop(): Promise<void>
}
