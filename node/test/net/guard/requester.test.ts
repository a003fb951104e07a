import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressToRequester, requesterToNetwork } from '../../../src/net/guard/requester.ts'

const prefix = (address: string): string | undefined => addressToRequester(address).prefix

describe('the requester of a connection', () => {
  it('an IPv4 requester is the address without port and transport', () => {
    const name = '4:203.0.113.7'
    const want = { prefix: name, fence: name, subnet: name, ip: Uint8Array.of(203, 0, 113, 7) }
    expect(addressToRequester('/ip4/203.0.113.7/tcp/4001')).toEqual(want)
    expect(prefix('/ip4/203.0.113.7/tcp/9/ws/p2p/12D3KooW')).toBe('4:203.0.113.7')
    expect(prefix('/ip4/203.0.113.8/tcp/4001')).toBe('4:203.0.113.8')
  })

  it('an IPv6 requester is the /56 with its /48, whatever the notation', () => {
    const want = { prefix: '6:2001:db8:77:1200', fence: '6:2001:db8:77' }
    for (const text of ['2001:db8:77:12ff::1', '2001:0DB8:0077:1200:0:0:0:9', '2001:db8:77:1234:a:b:c:d']) {
      expect(addressToRequester(`/ip6/${text}/tcp/1`)).toMatchObject(want)
    }
    const zoned = addressToRequester('/ip6zone/eth0/ip6/2001:db8:77:1200::1/tcp/1')
    expect(zoned).toMatchObject({ ...want, subnet: '6:2001:db8:77:1200/64' })
    expect(zoned.ip).toEqual(Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0x77, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 1))
    expect(addressToRequester('/ip6/2001:db8:77:1300::1/tcp/1')).toMatchObject({
      ...want,
      prefix: '6:2001:db8:77:1300',
    })
    expect(prefix('/ip6/::1/tcp/1')).toBe('6:0:0:0:0')
  })

  it('an IPv4-mapped, NAT64 or 6to4 address gives its embedded IPv4 requester', () => {
    for (const text of ['::ffff:203.0.113.7', '::ffff:cb00:7107', '64:ff9b::203.0.113.7', '2002:cb00:7107::1']) {
      expect(prefix(`/ip6/${text}/tcp/1`)).toBe('4:203.0.113.7')
    }
    expect(prefix('/ip6/::fffe:203.0.113.7/tcp/1')).toBe('6:0:0:0:0')
  })

  it('a relayed connection, a name and an invalid address have no requester', () => {
    for (const text of [
      '/ip4/203.0.113.7/tcp/1/p2p/12D3KooW/p2p-circuit/p2p/12D3KooX',
      '/dns4/example.org/tcp/1',
      '/unix/a',
      '/ip4/203.0.113.256/tcp/1',
      '/ip4/203.0.113/tcp/1',
      '/ip6/1:2:3/tcp/1',
      '/ip6/1::2::3/tcp/1',
      '/ip6/1:2:3:4:5:6:7:8:9/tcp/1',
      '/ip6/::ffff:203.0.113.256/tcp/1',
      '/ip6/fe80::1%eth0/tcp/1',
      '',
    ]) {
      expect(new Set(Object.values(addressToRequester(text)))).toEqual(new Set([undefined]))
    }
  })

  it('two IPv6 addresses share a subnet, prefix and fence when their first 64, 56 and 48 bits agree', () => {
    const group = fc.integer({ min: 0, max: 0xffff })
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.integer({ min: 0, max: 127 }), (groups, bit) => {
        fc.pre(groups[0] !== 0x2002 && groups[0] !== 0x64 && groups[0] !== 0)
        const text = (g: number[]): string => `/ip6/${g.map((item) => item.toString(16)).join(':')}/tcp/1`
        const other = groups.map((item, i) => (i === bit >> 4 ? item ^ (0x8000 >> (bit & 15)) : item))
        fc.pre(other[0] !== 0x2002 && other[0] !== 0x64 && other[0] !== 0)
        const [a, b] = [addressToRequester(text(groups)), addressToRequester(text(other))]
        expect(a.subnet === b.subnet).toBe(bit >= 64)
        expect(a.prefix === b.prefix).toBe(bit >= 56)
        expect(a.fence === b.fence).toBe(bit >= 48)
      }),
    )
  })

  it('the network of a requester is its IPv4 /16 or its IPv6 /32', () => {
    const { prefix, fence } = addressToRequester('/ip6/2001:db8:7:1234::1/tcp/1')
    expect([prefix!, fence!, '4:203.0.113.7'].map(requesterToNetwork)).toEqual(['6:2001:db8', '6:2001:db8', '4:203:0'])
  })
})
