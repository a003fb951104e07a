/**
 * Bounds the bytes of a handshake and the bytes that wait to be sent on a connection, before yamux exists on it.
 * PROTOCOL.md §6.5. Each reader of libp2p would buffer 4 MiB of a handshake.
 */
import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface'
import { CONNECTION_WRITE_BUFFER_BYTES, HANDSHAKE_MAX_BYTES } from './limits.ts'
import { endWebSocket } from './websocket.ts'
import type { Chunk } from './yamux-members.ts'

/** A private member of the transports' connections; private-members.test.ts of the node checks for it. */
interface Inside {
  onData(data: Chunk): void
}

export interface Handshake {
  /** Bytes of the handshake so far. */
  readonly received: number
  /** The handshake is complete. */
  end(): void
}

export function boundHandshake(connection: MultiaddrConnection): Handshake {
  connection.maxWriteBufferLength = CONNECTION_WRITE_BUFFER_BYTES
  connection.addEventListener('close', () => endWebSocket(connection), { once: true })
  let received = 0
  let isDone = false
  const inside = connection as unknown as Inside
  const onData = inside.onData.bind(connection)
  inside.onData = (data) => {
    if (!isDone) received += data.byteLength
    if (!isDone && received > HANDSHAKE_MAX_BYTES) {
      connection.abort(new Error(`expected a handshake of at most ${HANDSHAKE_MAX_BYTES} bytes, got ${received}`))
    } else onData(data)
  }
  return {
    get received() {
      return received
    },
    end() {
      isDone = true
    },
  }
}

/** The part of a connection gater that bounds the connections which this side opens. */
export function outboundGater(): ConnectionGater {
  const handshakes = new WeakMap<MultiaddrConnection, Handshake>()
  return {
    // The default for browsers forbids private addresses. The manifest and the rosters list the addresses that we dial.
    denyDialMultiaddr: () => false,
    denyOutboundConnection(_peer, connection) {
      handshakes.set(connection, boundHandshake(connection))
      return false
    },
    denyOutboundUpgradedConnection(_peer, connection) {
      handshakes.get(connection)?.end()
      return false
    },
  }
}
