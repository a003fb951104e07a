/**
 * The servers of a store with their keys: which server has what, and how values are sealed. PROTOCOL.md §8. All that
 * belongs to a user is on one server; what belongs to no user is on the first. Throws STORAGE_CORRUPT.
 */
import { createHmac } from 'node:crypto'
import type { Random } from '@geotrace/core-wasm'
import { utf8 } from '@geotrace/core-wasm/wire'
import type { User } from '../central-store.ts'
import { type Seal, valueSeal } from '../sealed-value.ts'
import type { RatchetKeys } from './ratchet-keys.ts'
import { createDay } from './schema.ts'
import type { Line, Server } from './server.ts'

/** 128 bits: the chance that two of a billion names have the same key is 10^-21. */
const NAME_BYTES = 16

export interface ServerGroup {
  readonly servers: readonly Server[]
  /** Has what belongs to no user. */
  readonly head: Server
  readonly keys: RatchetKeys
  serverOf(user: User): Server
  /** The place of the server on which the user with this key is. */
  placeOf(key: Uint8Array): number
  /** A keyed hash under which a name or an id is found. */
  toKey(kind: string, name: string | Uint8Array): Uint8Array
  /** Seals what is not of one day. */
  seal(what: string, body: Uint8Array): Uint8Array
  open(server: Server, what: string, value: Uint8Array): Uint8Array
  sealDay(day: number, what: string, body: Uint8Array): Uint8Array
  openDay(server: Server, day: number, what: string, value: Uint8Array): Uint8Array
  /** The first day that was not dropped. */
  floor: number
  /** Makes the tables of a day. Throws RangeError for a day that retention has dropped. */
  ensureDay(server: Server, day: number): Promise<void>
  hasDay(server: Server, day: number): Promise<boolean>
  /** The days of a server, ascending, without those that were dropped. */
  days(server: Server): Promise<number[]>
  /** Forgets a day whose tables are gone. */
  forgetDays(server: Server): void
}

export function serverGroup(servers: readonly Server[], keys: RatchetKeys, random: Random): ServerGroup {
  const meta = valueSeal(keys.meta, random)
  const seals = new Map<number, Seal>()
  const known = new Map<Server, Set<number>>(servers.map((server) => [server, new Set()]))
  const sealOf = (day: number): Seal => {
    const seal = seals.get(day) ?? valueSeal(keys.day(day), random)
    seals.set(day, seal)
    return seal
  }
  const opened = (server: Server, seal: Seal, what: string, value: Uint8Array): Uint8Array => {
    try {
      return seal.open(utf8(what), value, server.name)
    } catch (error) {
      server.noteDamage()
      throw error
    }
  }
  const parts: ServerGroup = {
    servers,
    head: servers[0]!,
    keys,
    floor: 0,
    serverOf: (user) => servers[user % servers.length]!,
    placeOf: (key) => keyToPlace(key, servers.length),
    toKey: (kind, name) =>
      createHmac('sha256', keys.users).update(`${kind}/`).update(name).digest().subarray(0, NAME_BYTES),
    seal: (what, body) => meta.seal(utf8(what), body),
    open: (server, what, value) => opened(server, meta, what, value),
    sealDay: (day, what, body) => sealOf(day).seal(utf8(what), body),
    openDay: (server, day, what, value) => opened(server, sealOf(day), what, value),
    async ensureDay(server, day) {
      if (day < parts.floor)
        throw new RangeError(
          `"day" expected ${parts.floor} or later, because retention dropped the days before; got ${day}`,
        )
      if (known.get(server)!.has(day)) return
      await createDay(server, day)
      known.get(server)!.add(day)
    },
    async hasDay(server, day) {
      if (day < parts.floor) return false
      if (known.get(server)!.has(day)) return true
      const found = await server.query('select day from day where day = $1', day)
      if (found.length > 0) known.get(server)!.add(day)
      return found.length > 0
    },
    async days(server) {
      const found = await server.query<{ day: number }>('select day from day where day >= $1 order by day', parts.floor)
      return found.map(({ day }) => day)
    },
    forgetDays: (server) => known.get(server)!.clear(),
  }
  return parts
}

/** The place of the server that has the user with this key. */
export function keyToPlace(key: Uint8Array, servers: number): number {
  return key[0]! % servers
}

/** Bytes of many values in one parameter, because an array of them would be sent as text: bytes, places, lengths. */
export function pack(values: readonly Uint8Array[]): [bytes: Uint8Array, starts: number[], lengths: number[]] {
  const bytes = new Uint8Array(values.reduce((sum, { length }) => sum + length, 0))
  const starts: number[] = []
  let at = 0
  for (const value of values) {
    bytes.set(value, at)
    // SQL counts from 1.
    starts.push(at + 1)
    at += value.length
  }
  return [bytes, starts, values.map(({ length }) => length)]
}

export function toBytes(line: Line, column = 'b'): Uint8Array {
  return line[column] as Uint8Array
}
