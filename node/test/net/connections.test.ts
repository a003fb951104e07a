import { systemClock } from '@geotrace/core-wasm'
import type { Connection } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { Connections } from '../../src/net/connections.ts'
import { addressToRequester, type RequesterAddress } from '../../src/net/guard/requester.ts'
import { HOST_LIMITS } from '../../src/net/limits.ts'
import { silent } from '../../src/platform/log.ts'

const ADDRESS = '/ip4/203.0.113.7/tcp/1'
const REQUESTER = addressToRequester(ADDRESS)
const NEWCOMER = addressToRequester('/ip4/203.0.113.8/tcp/1')

/** An open inbound connection that records whether it was aborted. */
function inbound(address = ADDRESS) {
  const it = { direction: 'inbound', status: 'open', streams: [], remoteAddr: address, isAborted: false }
  return Object.assign(it, { abort: () => void (it.isAborted = true) }) as unknown as Connection & typeof it
}

function setUp(...all: Connection[]) {
  const abusers: unknown[] = []
  const onAbuse = ({ prefix }: RequesterAddress): void => void abusers.push(prefix)
  const connections = new Connections({ ...HOST_LIMITS, idleMs: -1 }, systemClock(), silent, onAbuse)
  connections.attach({ getConnections: () => all })
  for (const connection of all) connections.opened(connection)
  return Object.assign(connections, { abusers })
}

describe('the connections of a host', () => {
  it('a connection that is closed for abuse names its requester', () => {
    const connection = inbound()
    const connections = setUp(connection)
    connections.abused(connection.streams)
    expect(connections.abusers).toEqual([REQUESTER.prefix])
  })

  it('abuse before a connection is open names the requester when it opens', () => {
    const connection = inbound()
    const connections = setUp()
    connections.abused(connection.streams)
    expect(connections.abusers).toEqual([])
    connections.opened(connection)
    expect(connections.abusers).toEqual([REQUESTER.prefix])
  })

  it('a connection that this host opened names no requester after abuse', () => {
    const connection = Object.assign(inbound(), { direction: 'outbound' as const })
    const connections = setUp(connection)
    connections.abused(connection.streams)
    expect(connections.abusers).toEqual([])
  })

  it('a full host closes an idle connection of a stranger and none of a member', () => {
    const [member, stranger] = [inbound(), inbound()]
    const connections = setUp(member, stranger)
    connections.setMembers((connection) => connection === member)
    expect(connections.makeRoom(NEWCOMER, 'full')).toBe(true)
    expect([member.isAborted, stranger.isAborted]).toEqual([false, true])
    expect(setUp().makeRoom(NEWCOMER, 'full')).toBe(false)
  })

  it('no connection is closed for a newcomer that comes too fast or has no address', () => {
    const connection = inbound()
    const connections = setUp(connection)
    for (const refusal of ['too-fast', 'no-address', 'pending-full'] as const) {
      expect(connections.makeRoom(NEWCOMER, refusal)).toBe(false)
    }
    expect(connection.isAborted).toBe(false)
  })

  it('a connection counts as silent until it receives bytes', () => {
    const connection = inbound()
    const connections = setUp(connection)
    expect(connections.silentMs(connection)).toBeGreaterThan(100)
    connections.received(connection.streams)
    expect(connections.silentMs(connection)).toBeLessThan(100)
  })
})
