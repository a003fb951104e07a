import { BlockList, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressToNetwork, isLoopback } from '../../../src/wire/index.ts'

/** An oracle from Node's own address parser. */
function listOf(...ranges: [net: string, bits: number][]): BlockList {
  const list = new BlockList()
  for (const [net, bits] of ranges) list.addSubnet(net, bits, net.includes(':') ? 'ipv6' : 'ipv4')
  return list
}
const LOOPBACK = listOf(['127.0.0.0', 8], ['::1', 128])
const NOT_PUBLIC_V4 = listOf(
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
)
const PUBLIC_V6 = listOf(['2000::', 3])
const EMBEDDING_V6 = listOf(['2001::', 32], ['2002::', 16])

const scopeV4 = (ip: string) => (LOOPBACK.check(ip) ? 'loopback' : NOT_PUBLIC_V4.check(ip) ? 'private' : 'public')
const scopeV6 = (ip: string) => {
  if (LOOPBACK.check(ip, 'ipv6')) return 'loopback'
  return PUBLIC_V6.check(ip, 'ipv6') && !EMBEDDING_V6.check(ip, 'ipv6') ? 'public' : 'private'
}

describe('the network of an address', () => {
  it('every IPv4 address has the network that the ranges of the RFCs give it', () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 10, 63, 64, 100, 127, 128, 168, 169, 172, 192, 198, 223, 254))
    fc.assert(
      fc.property(byte, byte, byte, byte, (...bytes) => {
        const ip = bytes.join('.')
        expect(addressToNetwork(`/ip4/${ip}/tcp/1`), ip).toBe(scopeV4(ip))
      }),
      { numRuns: 2_000 },
    )
  })

  it('every IPv6 address has the network that the ranges of the RFCs give it, in every spelling', () => {
    const group = fc.oneof(
      fc.nat(0xffff),
      fc.constantFrom(0, 0, 0, 1, 0x2000, 0x2001, 0x2002, 0x3fff, 0x4000, 0xfc00, 0xfe80, 0xff02, 0x7f00),
    )
    const text = fc
      .tuple(fc.array(group, { minLength: 8, maxLength: 8 }), fc.nat(8), fc.nat(8), fc.boolean())
      .map(([groups, from, length, isUpper]) => {
        const hex = groups.map((item) => item.toString(16))
        const cut =
          length === 0 ? hex.join(':') : `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`
        return isUpper ? cut.toUpperCase() : cut
      })
    fc.assert(
      fc.property(text, (ip) => {
        const scope = isIPv6(ip) ? scopeV6(ip) : 'private'
        expect(addressToNetwork(`/ip6/${ip}/tcp/1`), ip).toBe(scope)
      }),
      { numRuns: 2_000 },
    )
    expect(addressToNetwork('/ip6/2a01::4:203.0.113.7/tcp/1')).toBe('public')
    expect(addressToNetwork('/ip6/::ffff:127.0.0.1/tcp/1')).toBe('private')
  })

  it('text that is no IP address is private, and throws nothing', () => {
    const odd = [
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '256.1.1.1',
      '1.2.3.-4',
      ' 1.2.3.4',
      '1::2::3',
      ':::',
      '1:2:3:4:5:6:7',
      'g::',
    ]
    for (const ip of odd) {
      expect(addressToNetwork(`/ip4/${ip}/tcp/1`), ip).toBe('private')
      expect(addressToNetwork(`/ip6/${ip}/tcp/1`), ip).toBe('private')
    }
    fc.assert(fc.property(fc.string(), (text) => void addressToNetwork(text)))
  })

  it('a domain name is public, and a name of one machine, of a private network or of digits is not', () => {
    for (const name of ['salt.example.org', 'a.b.c.xn--p1ai', 'SALT.EXAMPLE.COM']) {
      for (const kind of ['dns', 'dns4', 'dns6'])
        expect(addressToNetwork(`/${kind}/${name}/tcp/1`), name).toBe('public')
    }
    const others = [
      'router',
      'nas.local',
      'db.internal',
      'x.home.arpa',
      'evil.localhost',
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '10.0.0.0x1',
      '::1',
    ]
    for (const name of others) expect(addressToNetwork(`/dns4/${name}/tcp/1`), name).toBe('private')
    expect(addressToNetwork('/unix/tmp/socket')).toBe('private')
    expect(addressToNetwork('/dnsaddr/salt.example.org')).toBe('private')
  })

  it('addresses of this machine are loopback addresses', () => {
    for (const host of ['ip4/127.9.8.7', 'ip6/::1', 'ip6/0:0:0:0:0:0:0:1', 'dns/localhost', 'dns4/localhost']) {
      expect(isLoopback(`/${host}/tcp/1`), host).toBe(true)
    }
    for (const host of ['ip4/128.0.0.1', 'ip6/::2', 'dns4/localhost.example.org', 'dns4/127.0.0.1.example.org']) {
      expect(isLoopback(`/${host}/tcp/1`), host).toBe(false)
    }
  })
})
