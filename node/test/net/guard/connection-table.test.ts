import { describe, expect, it } from 'vitest'
import { admitOrReplace, ConnectionTable } from '../../../src/net/guard/connection-table.ts'
import { addressToRequester, type RequesterAddress } from '../../../src/net/guard/requester.ts'
import { HOST_LIMITS } from '../../../src/net/limits.ts'

const NOW = Date.UTC(2026, 5, 1)
const v4 = (n: number): RequesterAddress => addressToRequester(`/ip4/203.0.${n >> 8}.${n & 255}/tcp/1`)
/** Prefix `p` of /48 number `f`. */
const v6 = (f: number, p: number): RequesterAddress =>
  addressToRequester(`/ip6/2001:db8:${f.toString(16)}:${(p << 8).toString(16)}::1/tcp/1`)
const open = (table: ConnectionTable, source: RequesterAddress): string => {
  const admission = table.admit(source, NOW)
  if (admission === 'admitted') table.upgraded(source)
  return admission
}
const times = <T>(count: number, task: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => task(i))

describe('the connection table', () => {
  it('the table refuses the ninth open connection of an address until one of the eight is closed', () => {
    const table = new ConnectionTable(HOST_LIMITS)
    expect(times(9, () => open(table, v4(1)))).toEqual([...Array(8).fill('admitted'), 'prefix-full'])
    expect(open(table, v4(2))).toBe('admitted')
    table.closed(v4(1), false)
    expect(open(table, v4(1))).toBe('admitted')
    expect(open(table, v4(1))).toBe('prefix-full')
  })

  it('the table admits 8 connections of an IPv6 /56 and 64 of a /48', () => {
    const table = new ConnectionTable(HOST_LIMITS)
    const other = addressToRequester('/ip6/2001:db8:7:01ff:5::9/tcp/1')
    expect(times(8, () => open(table, v6(7, 1)))).toEqual(Array(8).fill('admitted'))
    expect(open(table, other)).toBe('prefix-full')
    expect(times(56, (i) => open(table, v6(7, 2 + (i >> 3))))).toEqual(Array(56).fill('admitted'))
    expect(open(table, v6(7, 200))).toBe('fence-full')
    expect(open(table, v6(8, 200))).toBe('admitted')
  })

  it('the table admits 4 concurrent handshakes of an address, 16 of a /48, and 256 in all', () => {
    const table = new ConnectionTable(HOST_LIMITS)
    expect(times(5, () => table.admit(v4(1), NOW))).toEqual([...Array(4).fill('admitted'), 'prefix-pending-full'])
    table.upgraded(v4(1))
    expect(table.admit(v4(1), NOW)).toBe('admitted')
    expect(times(17, (i) => table.admit(v6(1, i), NOW))).toEqual([...Array(16).fill('admitted'), 'fence-pending-full'])
    expect(times(300, (i) => table.admit(v4(256 + i), NOW)).filter((item) => item === 'admitted')).toHaveLength(236)
    table.closed(v4(1), true)
    expect(table.admit(v4(9_999), NOW)).toBe('admitted')
    expect(table.admit(v4(9_998), NOW)).toBe('pending-full')
  })

  it('a connection whose handshake is over is admitted beside any number of unfinished handshakes', () => {
    const table = new ConnectionTable({ ...HOST_LIMITS, pending: 4 })
    times(4, () => table.admit(v4(1), NOW))
    expect(table.admit(v4(1), NOW)).toBe('prefix-pending-full')
    expect(times(5, () => table.admit(v4(1), NOW, { isUpgraded: true }))).toEqual([
      ...Array(4).fill('admitted'),
      'prefix-full',
    ])
    expect(table.admit(v4(2), NOW, { isUpgraded: true })).toBe('admitted')
  })

  it('a connection gets in when a handshake and an open connection of its address make room for it', () => {
    const table = new ConnectionTable(HOST_LIMITS)
    times(4, () => open(table, v4(1)))
    times(4, () => table.admit(v4(1), NOW))
    const asked: string[] = []
    const makeRoom = (refusal: string): boolean => {
      asked.push(refusal)
      table.closed(v4(1), refusal === 'prefix-pending-full')
      return true
    }
    expect(admitOrReplace(table, v4(1), NOW, makeRoom)).toBe(true)
    expect(asked).toEqual(['prefix-full', 'prefix-pending-full'])
    expect(table.open).toBe(7)
    expect(admitOrReplace(table, v4(1), NOW, () => false)).toBe(false)
  })

  it('the table admits 20 new connections of an address at once and 5 a second after them', () => {
    const table = new ConnectionTable(HOST_LIMITS)
    const comeAndGo = (nowMs: number): string => {
      const admission = table.admit(v4(1), nowMs)
      if (admission === 'admitted') table.closed(v4(1), true)
      return admission
    }
    expect(times(21, () => comeAndGo(NOW))).toEqual([...Array(20).fill('admitted'), 'too-fast'])
    expect(times(6, () => comeAndGo(NOW + 1_000))).toEqual([...Array(5).fill('admitted'), 'too-fast'])
    expect(comeAndGo(NOW - 60_000)).toBe('too-fast')
    expect(comeAndGo(NOW + 60_000)).toBe('admitted')
  })

  it('the table refuses connections above its total and connections without an address', () => {
    const table = new ConnectionTable({ ...HOST_LIMITS, connections: 10 })
    expect(times(11, (i) => open(table, v4(i)))).toEqual([...Array(10).fill('admitted'), 'full'])
    expect(table.open).toBe(10)
    expect(table.admit({ prefix: undefined, fence: undefined }, NOW)).toBe('no-address')
    times(10, (i) => table.closed(v4(i), false))
    expect(table.open).toBe(0)
  })
})
