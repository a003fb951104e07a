/**
 * The connection gater of a libp2p host, over the connection table. PROTOCOL.md §6.5.
 * It refuses connections by address before the handshake, and keys other than Ed25519 after it. It bounds the bytes of a
 * handshake.
 */
import type { Clock } from '@geotrace/core-wasm'
import { boundHandshake, type Handshake, outboundGater } from '@geotrace/core-wasm/transport'
import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface'
import { type Admission, admitOrReplace, type ConnectionTable } from '../guard/connection-table.ts'
import type { Scope } from '../guard/eviction.ts'
import { addressToRequester, type RequesterAddress } from '../guard/requester.ts'

/**
 * Concurrent handshakes during event-loop lag: half a second of work. With a bound of 16, fifty peers that started at the
 * same time refused so many connections that the federation never formed (measured 2026-11).
 */
const HANDSHAKES_AT_ONCE = 64

/** The group of which an unfinished handshake makes room. */
const PENDING_SCOPES: Partial<Record<Admission, Scope>> = {
  'pending-full': 'host',
  'fence-pending-full': 'fence',
  'prefix-pending-full': 'prefix',
}

interface Inbound {
  readonly requester: RequesterAddress
  pending: boolean
  readonly handshake: Handshake
}

interface GaterInit {
  table: ConnectionTable
  clock: Clock
  /** Closes a connection to make room for one of `requester`. Returns false when no connection may be closed. */
  makeRoom(requester: RequesterAddress, refusal: Admission): boolean
  /** Whether the event loop lags. */
  isLagging(): boolean
}

export function gater({ table, clock, makeRoom, isLagging }: GaterInit): ConnectionGater {
  const inbound = new WeakMap<MultiaddrConnection, Inbound>()
  // The oldest first.
  const pending = new Map<MultiaddrConnection, Inbound>()

  /**
   * Closes the oldest silent connection of the group that is full, or else its oldest. A conforming handshake finishes long
   * before its turn. The newcomer is never refused, because unfinished handshakes of one client would lock out all others
   * of its address.
   */
  const dropPending = (group: readonly (readonly [MultiaddrConnection, Inbound])[]): boolean => {
    const [leaver] = group.find(([, { handshake }]) => handshake.received === 0) ?? group[0] ?? []
    leaver?.abort(new Error('closed during its handshake to make room for another connection'))
    return leaver !== undefined
  }
  const admit = (newcomer: RequesterAddress): boolean =>
    admitOrReplace(table, newcomer, clock.now(), (refusal) => {
      const scope = PENDING_SCOPES[refusal]
      if (scope === undefined) return makeRoom(newcomer, refusal)
      return dropPending(
        [...pending].filter(([, { requester }]) => scope === 'host' || requester[scope] === newcomer[scope]),
      )
    })

  return {
    ...outboundGater(),
    denyInboundConnection(connection) {
      const handshake = boundHandshake(connection)
      const requester = addressToRequester(connection.remoteAddr.toString())
      // A handshake is the most expensive work that a stranger can cause.
      if ((pending.size >= HANDSHAKES_AT_ONCE && isLagging()) || !admit(requester)) return true
      const entry: Inbound = { requester, pending: true, handshake }
      inbound.set(connection, entry)
      pending.set(connection, entry)
      connection.addEventListener(
        'close',
        () => {
          pending.delete(connection)
          table.closed(requester, entry.pending)
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
        entry.handshake.end()
        pending.delete(connection)
        table.upgraded(entry.requester)
      }
      return false
    },
  }
}
