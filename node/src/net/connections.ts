/**
 * The open connections of a host: their last use, the last received bytes, abuse, and which one makes room for another.
 * PROTOCOL.md §6.5. A connection is known by its array of streams before libp2p reports it as open.
 */
import type { Clock } from '@geotrace/core-wasm'
import type { Connection, Libp2p } from '@libp2p/interface'
import type { Log } from '../platform/log.ts'
import { type Admission, ConnectionTable } from './guard/connection-table.ts'
import { chooseEviction, type Evictable, type Scope } from './guard/eviction.ts'
import { addressToRequester, type RequesterAddress } from './guard/requester.ts'
import type { HostLimits } from './limits.ts'

type Streams = readonly unknown[]

/** The group in which another connection makes room. Refusals for other reasons are final here. */
const SCOPES: Partial<Record<Admission, Scope>> = { full: 'host', 'fence-full': 'fence', 'prefix-full': 'prefix' }

export class Connections {
  readonly table: ConnectionTable
  readonly #limits: HostLimits
  readonly #clock: Clock
  readonly #log: Log
  readonly #onAbuse: (requester: RequesterAddress) => void
  readonly #openedMs = new WeakMap<Connection, number>()
  readonly #lastUse = new WeakMap<Connection, number>()
  /** Monotonic time of the last received bytes. */
  readonly #receivedMs = new WeakMap<Streams, number>()
  /** Streams of connections that were closed for abuse. */
  readonly #abusive = new WeakSet<Streams>()
  #all: () => readonly Connection[] = () => []
  #more: () => readonly Evictable[] = () => []
  #isMember = (_connection: Connection): boolean => false

  /** `onAbuse`: a connection of this requester was closed for abuse. */
  constructor(limits: HostLimits, clock: Clock, log: Log, onAbuse: (requester: RequesterAddress) => void) {
    this.table = new ConnectionTable(limits)
    this.#limits = limits
    this.#clock = clock
    this.#log = log
    this.#onAbuse = onAbuse
  }

  attach(libp2p: Pick<Libp2p, 'getConnections'>): void {
    this.#all = () => libp2p.getConnections()
  }

  /** Connections of the table that are none of libp2p's. They make room too. */
  addOccupants(occupants: () => readonly Evictable[]): void {
    this.#more = occupants
  }

  /** Sets which connections are with members of the federation: none before the first call. */
  setMembers(isMember: (connection: Connection) => boolean): void {
    this.#isMember = isMember
  }

  isMember(connection: Connection): boolean {
    return this.#isMember(connection)
  }

  opened(connection: Connection): void {
    if (this.#abusive.has(connection.streams)) this.#report(connection)
    this.#openedMs.set(connection, this.#clock.now())
    this.used(connection)
  }

  /** The connection carried a request. */
  used(connection: Connection): void {
    this.#lastUse.set(connection, this.#clock.now())
  }

  received(streams: Streams): void {
    this.#receivedMs.set(streams, performance.now())
  }

  /** Time since the last received bytes of a connection, ms. */
  silentMs({ streams }: Connection): number {
    return performance.now() - (this.#receivedMs.get(streams) ?? 0)
  }

  /** The connection of these streams is about to be closed for abuse. The next one of its requester waits for its turn. */
  abused(streams: Streams): void {
    this.#log.warn('net.flood-ended')
    this.#abusive.add(streams)
    const connection = this.#all().find((item) => item.streams === streams)
    if (connection !== undefined) this.#report(connection)
  }

  /** Closes a connection after the table refused one of `newcomer`. Returns false when no connection may be closed. */
  makeRoom(newcomer: RequesterAddress, refusal: Admission): boolean {
    const scope = SCOPES[refusal]
    if (scope === undefined) return false
    const occupants = [...this.#occupants(), ...this.#more()]
    const evicted = chooseEviction(occupants, newcomer, scope, { nowMs: this.#clock.now(), ...this.#limits })
    evicted?.close()
    return evicted !== undefined
  }

  #occupants(): Evictable[] {
    return this.#all()
      .filter((item) => item.direction === 'inbound' && item.status === 'open' && !this.#isMember(item))
      .map((connection) => ({
        ...addressToRequester(connection.remoteAddr.toString()),
        isBusy: connection.streams.length > 0,
        openedMs: this.#openedMs.get(connection) ?? 0,
        lastUseMs: this.#lastUse.get(connection) ?? 0,
        close: () => connection.abort(new Error('closed to make room for another connection')),
      }))
  }

  #report({ direction, remoteAddr }: Connection): void {
    if (direction === 'inbound') this.#onAbuse(addressToRequester(remoteAddr.toString()))
  }
}
