import { describe, expect, it } from 'vitest'
import { livePeers, type Peer } from '../../src/membership/peers.ts'
import { founded, peerSigner } from './chain.ts'

function setting() {
  const { manifest, first } = founded()
  const roster = { newest: undefined as typeof first.roster | undefined }
  const presences = new Map<Uint8Array, string[]>()
  const convicted = new Set<Uint8Array>()
  let version = 0
  const { members } = first.roster
  const peers = livePeers({
    manifest,
    newest: () => roster.newest,
    addresses: (key) => [...presences].find(([own]) => Buffer.compare(own, key) === 0)?.[1] ?? [],
    isConvicted: (key) => [...convicted].some((own) => Buffer.compare(own, key) === 0),
    version: () => version,
  })
  const keys = (list: readonly Peer[]) => list.map(({ key }) => Buffer.from(key).toString('hex'))
  return { peers, members, first, roster, presences, convicted, keys, change: () => void version++ }
}

describe('the peers of a federation', () => {
  it('the peers are those of the newest roster, in the same array while nothing changes', () => {
    const { peers, first, roster, keys } = setting()
    const own = peerSigner('ash').key
    const all = peers.all()
    expect(peers.all()).toBe(all)
    expect(peers.others(own)).toBe(peers.others(own.slice()))
    expect(peers.others(new Uint8Array(32))).toEqual(all)
    expect(keys(peers.others(own))).toEqual(keys(all.filter(({ key }) => Buffer.compare(key, own) !== 0)))
    roster.newest = { ...first.roster, members: first.roster.members.slice(1) }
    expect(peers.all()).toHaveLength(all.length - 1)
    expect(peers.has(first.roster.members[0]!.key)).toBe(false)
  })

  it('a peer is listed and found with the addresses of its newest presence first, then those of the roster', () => {
    const { peers, members, presences, change } = setting()
    const [{ key, addresses }] = members as [(typeof members)[0]]
    expect(peers.withKey(key)?.addresses).toEqual(addresses)
    const before = peers.all()
    // The port of a stranger on a loopback address must get no connection.
    presences.set(key, ['/ip4/127.66.0.1/tcp/7', '/ip4/203.0.113.7/tcp/7'])
    change()
    expect(peers.withKey(key)?.addresses).toEqual(['/ip4/203.0.113.7/tcp/7', ...addresses])
    expect(peers.withKey(key)?.unlisted).toEqual(['/ip4/203.0.113.7/tcp/7'])
    expect(peers.all()).not.toBe(before)
    expect(peers.all().map((peer) => peer.key)).toEqual(before.map((peer) => peer.key))
  })

  it('a member with proven evidence is no longer a peer', () => {
    const { peers, members, convicted, change } = setting()
    const { key } = members[1]!
    expect(peers.has(key)).toBe(true)
    const count = peers.all().length
    convicted.add(key)
    change()
    expect([peers.has(key), peers.withKey(key), peers.all().length]).toEqual([false, undefined, count - 1])
  })
})
