/**
 * libp2p's connection gater of a host, over the connection table. PROTOCOL.md §6.5.
 * Refuses by address before the handshake costs anything, any key but Ed25519 after it, and bounds what a connection may
 * send before it is through and what may wait for it.
 */
import type { Clock } from '@geotrace/core-wasm'
import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface'
import type { ConnectionTable } from '../guard/connection-table.ts'
import { addressToSource, type Source } from '../guard/requester.ts'
import { CONNECTION_WRITE_BUFFER_BYTES, HANDSHAKE_MAX_BYTES } from '../limits.ts'
import { terminateWebSocket } from './websocket.ts'

/**
 * Handshakes under way while the event loop is behind: half a second of work. With 16 a peer of fifty that all start at
 * once turned so many away that they never found together (measured 2026-11).
 */
const HANDSHAKES_AT_ONCE = 64

interface Inbound {
  readonly source: Source
  pending: boolean
  /** Bytes of its handshake. */
  received: number
}

export interface GaterInit {
  table: ConnectionTable
  clock: Clock
  /** Closes a connection so that one of `source` fits in; false when there is none to close. */
  makeRoom(source: Source, isFull: boolean): boolean
  /** Whether the event loop stays behind. */
  isLagging(): boolean
}

export function gater({ table, clock, makeRoom, isLagging }: GaterInit): ConnectionGater {
  const inbound = new WeakMap<MultiaddrConnection, Inbound>()
  // In the order of their coming.
  const pending = new Map<MultiaddrConnection, Inbound>()

  /** The oldest that never said a word goes, or else the oldest: an honest handshake is through long before its turn. */
  const dropPending = (): boolean => {
    const [silent] = [...pending].find(([, { received }]) => received === 0) ?? [...pending][0] ?? []
    silent?.abort(new Error('room for others'))
    return silent !== undefined
  }
  const admit = (source: Source): boolean => {
    const admission = table.admit(source, clock.now())
    if (admission === 'admitted') return true
    const hasRoom =
      admission === 'pending-full'
        ? dropPending()
        : (admission === 'full' || admission === 'prefix-full') && makeRoom(source, admission === 'full')
    return hasRoom && table.admit(source, clock.now(), true) === 'admitted'
  }

  return {
    denyInboundConnection(connection) {
      prepare(connection)
      const source = addressToSource(connection.remoteAddr.toString())
      // A handshake is the dearest thing a stranger can ask for.
      if ((pending.size >= HANDSHAKES_AT_ONCE && isLagging()) || !admit(source)) return true
      const entry: Inbound = { source, pending: true, received: 0 }
      inbound.set(connection, entry)
      pending.set(connection, entry)
      boundHandshake(connection, entry)
      connection.addEventListener(
        'close',
        () => {
          pending.delete(connection)
          table.closed(source, entry.pending)
        },
        { once: true },
      )
      return false
    },
    denyInboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
    denyInboundUpgradedConnection(_peer, connection) {
      const entry = inbound.get(connection)
      if (entry?.pending) {
        entry.pending = false
        pending.delete(connection)
        table.upgraded(entry.source)
      }
      return false
    },
    denyOutboundConnection(_peer, connection) {
      prepare(connection)
      return false
    },
    // Browsers' default forbids private addresses; whom we dial is written in the roster.
    denyDialMultiaddr: () => false,
  }
}

type Chunk = Parameters<MultiaddrConnection['send']>[0]
/** What the transports' connections have beside the interface; a test notices when it is renamed. */
interface Inside {
  onData(data: Chunk): void
}

function prepare(connection: MultiaddrConnection): void {
  connection.maxWriteBufferLength = CONNECTION_WRITE_BUFFER_BYTES
  connection.addEventListener('close', () => terminateWebSocket(connection), { once: true })
}

/** Until the handshake is done every reader of libp2p would keep 4 MiB of what came too early. */
function boundHandshake(connection: MultiaddrConnection, entry: Inbound): void {
  const inside = connection as unknown as Inside
  const onData = inside.onData.bind(connection)
  inside.onData = (data) => {
    if (entry.pending) entry.received += data.byteLength
    if (entry.pending && entry.received > HANDSHAKE_MAX_BYTES) connection.abort(new Error('a handshake too long'))
    else onData(data)
  }
}
