/**
 * Sends requests: one new stream for each, on an open connection or a new one. PROTOCOL.md §6.1.
 * Throws PEER_UNREACHABLE, PEER_TIMEOUT, MESSAGE_TOO_LARGE, ABORTED, and BUSY when too many of our own requests to the
 * peer wait. The caller decodes the reply, which may be a refusal.
 */
import { turns } from '@geotrace/core-wasm'
import { STREAMS_PER_PROTOCOL } from '@geotrace/core-wasm/transport'
import {
  boundedMap,
  bytesToHex,
  FederationError,
  isFederationError,
  keyToPeerId,
  type Protocol,
} from '@geotrace/core-wasm/wire'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { withDeadline } from './deadline.ts'
import { type HostLimits, REQUESTS_PER_PEER, REQUESTS_WAITING_PER_PEER } from './limits.ts'
import type { DialTarget, Host } from './protocol.ts'
import { frames } from './transport/frame.ts'
import { isHttpsAddress } from './transport/https-listener.ts'
import { UnlistedAddresses } from './unlisted.ts'

/** Cached peer ids, because links look theirs up every 2 s. A federation has fewer peers. */
const PEER_IDS_MAX = 2_048

/** `isLagging`: whether our own event loop lags. `silentMs`: time since the last received bytes of a connection. */
export function requests(
  libp2p: Libp2p,
  limits: HostLimits,
  isLagging: () => boolean,
  silentMs: (connection: Connection) => number,
): Pick<Host, 'request' | 'link' | 'isLinked' | 'hasReceivedFrom'> {
  const streams = turns<string>(REQUESTS_PER_PEER, REQUESTS_WAITING_PER_PEER)
  const peerIds = boundedMap<string, PeerId>(PEER_IDS_MAX)
  const toPeerId = (key: Uint8Array): PeerId => {
    const name = bytesToHex(key)
    const known = peerIds.get(name) ?? peerIdFromString(keyToPeerId(key))
    peerIds.set(name, known)
    return known
  }

  const unlisted = new UnlistedAddresses(() => performance.now())
  const dial = async (peer: DialTarget, peerId: PeerId, signal?: AbortSignal): Promise<Connection> => {
    const target = { ...peer, addresses: unlisted.select(peer) }
    try {
      return await openNew(libp2p, limits.dialMs, target, peerId, signal)
    } catch (error) {
      if (!isFederationError(error, 'ABORTED')) unlisted.failed(target)
      throw error
    }
  }
  const request: Host['request'] = async (peer, protocol, bytes, { signal, withinMs = limits.replyMs } = {}) => {
    const replyMs = Math.min(limits.replyMs, withinMs)
    // While our own event loop lags, a missing answer does not prove that the peer is down. Use the full timeout.
    const patience = { replyMs, isGone: () => replyMs === limits.replyMs || !isLagging() }
    const peerId = toPeerId(peer.key)
    if (bytes.length > protocol.requestMaxBytes) {
      throw new RangeError(`"request" expected at most ${protocol.requestMaxBytes} bytes, got ${bytes.length}`)
    }
    const send = (connection: Connection): Promise<Uint8Array> =>
      exchange(connection, protocol, bytes, patience, signal)
    return await streams.run(`${peerId} ${protocol.id}`, async () => {
      const open = openConnection(libp2p, peerId)
      if (open === undefined) return await send(await dial(peer, peerId, signal))
      try {
        return await send(open)
      } catch (error) {
        // The connection may have died unnoticed. Every request may be repeated, so send it once more.
        if (isFinal(error)) throw error
        return await send(open.status === 'open' ? open : await dial(peer, peerId, signal))
      }
    })
  }
  const isLinked = (key: Uint8Array): boolean => openConnection(libp2p, toPeerId(key)) !== undefined
  return {
    request,
    isLinked,
    hasReceivedFrom(key, withinMs) {
      const open = openConnection(libp2p, toPeerId(key))
      return open !== undefined && silentMs(open) < withinMs
    },
    async link(peer) {
      if (!isLinked(peer.key)) await dial(peer, toPeerId(peer.key))
    },
  }
}

async function openNew(
  libp2p: Libp2p,
  dialMs: number,
  peer: DialTarget,
  peerId: PeerId,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const tried = peer.addresses.length
  const timedOut = () =>
    new FederationError('PEER_TIMEOUT', `no connection to ${peerId} in ${dialMs} ms`, { peer: peerId.toString() })
  try {
    // The HTTPS listener serves clients without libp2p.
    const dialled = peer.addresses.filter((address) => !isHttpsAddress(address))
    const addresses = dialled.map((address) => withPeerId(address, peerId.toString()))
    if (addresses.length === 0) throw new Error('expected an address of TCP or WebSocket, got none')
    return await withDeadline(dialMs, timedOut, (inner) => libp2p.dial(addresses, { signal: inner }), signal)
  } catch (cause) {
    if (isFinal(cause)) throw cause
    throw new FederationError('PEER_UNREACHABLE', `cannot reach ${peerId}`, { tried }, { cause })
  }
}

interface Patience {
  readonly replyMs: number
  /** Whether a timeout means that the connection is dead. */
  isGone(): boolean
}

async function exchange(
  connection: Connection,
  protocol: Protocol,
  request: Uint8Array,
  { replyMs, isGone }: Patience,
  outer: AbortSignal | undefined,
): Promise<Uint8Array> {
  const peer = connection.remotePeer.toString()
  const timedOut = () => new FederationError('PEER_TIMEOUT', `no answer from ${peer} in ${replyMs} ms`, { peer })
  try {
    return await withDeadline(replyMs, timedOut, (signal) => send(connection, protocol, request, signal), outer)
  } catch (cause) {
    // After a partition the connection still looks open, and only a new dial reaches the peer again.
    // A connection whose muxer has closed looks open permanently.
    if (
      cause instanceof Error &&
      ((isFederationError(cause, 'PEER_TIMEOUT') && isGone()) || cause.name === 'ConnectionClosedError')
    ) {
      connection.abort(cause)
    }
    if (isFinal(cause)) throw cause
    throw new FederationError('PEER_UNREACHABLE', `the stream to ${peer} failed`, { tried: 1 }, { cause })
  }
}

async function send(connection: Connection, protocol: Protocol, request: Uint8Array, signal: AbortSignal) {
  const stream = await connection.newStream(protocol.id, { signal, maxOutboundStreams: STREAMS_PER_PROTOCOL * 2 })
  try {
    const channel = frames(stream, protocol.replyMaxBytes)
    await channel.write(request, signal)
    await stream.close({ signal })
    return await channel.read(protocol.replyMaxBytes, signal)
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error('request failed'))
    throw error
  }
}

function openConnection(libp2p: Libp2p, peerId: PeerId): Connection | undefined {
  return libp2p.getConnections(peerId).find(({ status, limits }) => status === 'open' && limits == null)
}

function withPeerId(address: string, peerId: string): Multiaddr {
  return multiaddr(/\/p2p\//.test(address) ? address : `${address}/p2p/${peerId}`)
}

function isFinal(error: unknown): boolean {
  return (
    isFederationError(error, 'PEER_TIMEOUT') ||
    isFederationError(error, 'ABORTED') ||
    isFederationError(error, 'MESSAGE_TOO_LARGE')
  )
}
