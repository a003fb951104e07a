/**
 * The door of a host: libp2p's connection gater over the connection book. PROTOCOL.md §6.5.
 * Refuses by address before the handshake costs anything, and any key but Ed25519 after it.
 */
import type { Clock } from '@geotrace/core-wasm'
import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface'
import type { ConnectionBook } from './connection-book.ts'
import { addressToSource, type Source } from './requester.ts'
import { terminateWebSocket } from './websocket.ts'

interface Inbound {
  readonly source: Source
  pending: boolean
}

/** `makeRoom` closes a connection that has long been idle, of that prefix if one is given; true if there was one. */
export function gater(book: ConnectionBook, clock: Clock, makeRoom: (prefix?: string) => boolean): ConnectionGater {
  const inbound = new WeakMap<MultiaddrConnection, Inbound>()
  return {
    denyInboundConnection(connection) {
      terminateWhenClosed(connection)
      const source = addressToSource(connection.remoteAddr.toString())
      let admission = book.admit(source, clock.now())
      const mayEvict = admission === 'full' || admission === 'prefix-full'
      if (mayEvict && makeRoom(admission === 'full' ? undefined : source.prefix)) {
        admission = book.admit(source, clock.now())
      }
      if (admission !== 'admitted') return true
      const entry: Inbound = { source, pending: true }
      inbound.set(connection, entry)
      connection.addEventListener('close', () => book.closed(source, entry.pending), { once: true })
      return false
    },
    denyInboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
    denyInboundUpgradedConnection(_peer, connection) {
      const entry = inbound.get(connection)
      if (entry?.pending) {
        entry.pending = false
        book.upgraded(entry.source)
      }
      return false
    },
    denyOutboundConnection(_peer, connection) {
      terminateWhenClosed(connection)
      return false
    },
    // Browsers' default forbids private addresses; whom we dial is written in the roster.
    denyDialMultiaddr: () => false,
  }
}

function terminateWhenClosed(connection: MultiaddrConnection): void {
  connection.addEventListener('close', () => terminateWebSocket(connection), { once: true })
}
