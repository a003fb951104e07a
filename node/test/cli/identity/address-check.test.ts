import { keyToPeerId } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { networkOf, readAddresses, readHost } from '../../../src/cli/identity/address-check.ts'
import { addressesToListen, hostToAddresses } from '../../../src/cli/identity/addresses.ts'
import { optionsToListen } from '../../../src/cli/process/run-options.ts'

const OWN = keyToPeerId(new Uint8Array(32).fill(1))
const OTHER = keyToPeerId(new Uint8Array(32).fill(2))
const read = (...addresses: string[]) => readAddresses(addresses, { where: 'the card x.json', peerId: OWN })
const refusal = (task: () => unknown): string => {
  try {
    return `accepted ${task()}`
  } catch (error) {
    return (error as Error).message
  }
}

describe('the addresses that a person types', () => {
  it('a public name or IP address is taken as --host, in the form that an address holds', () => {
    expect(readHost('Salt.Example.ORG')).toBe('salt.example.org')
    expect(readHost('münchen.example')).toBe('xn--mnchen-3ya.example')
    expect(readHost('localhost')).toBe('127.0.0.1')
    for (const ip of ['203.0.113.9', '2a01:4f8::1', '192.168.1.5', '127.0.0.1', '::1']) expect(readHost(ip)).toBe(ip)
  })

  it('a wrong --host is refused with the value, the rule and the host to type instead', () => {
    const wrong: [string, RegExp][] = [
      ['http://salt.example.org', /--host salt\.example\.org$/],
      ['https://salt.example.org/x', /--host salt\.example\.org$/],
      ['salt.example.org:4101', /--host salt\.example\.org --port 4101$/],
      ['[2a01:4f8::1]', /--host 2a01:4f8::1$/],
      ['0.0.0.0', /public address or name/],
      ['::', /public address or name/],
      ['169.254.7.7', /public address or name/],
      ['fe80::1%eth0', /other machines can dial/],
      ['224.0.0.1', /other machines can dial/],
      ['', /got nothing/],
      ['a b', /expected a public name/],
      ['salt_node', /expected a public name/],
      ['1.2.3', /expected a public name/],
      ['-x.org', /expected a public name/],
      ['/ip4/203.0.113.9', /./],
      [`${'a'.repeat(64)}.org`, /expected a public name/],
    ]
    for (const [host, rule] of wrong) {
      const message = refusal(() => readHost(host))
      expect(message, host).toMatch(rule)
      expect(message, host).not.toMatch(/^accepted/)
    }
  })

  it('complete addresses of every transport that a node listens on are taken, without the peer id of their own node', () => {
    const addresses = ['', '/ws', '/tls/ws', '/tls/http'].map((suffix) => `/ip4/203.0.113.9/tcp/4101${suffix}`)
    expect(read(...addresses)).toEqual(addresses)
    expect(read(`/dns4/Salt.example.org/tcp/443/tls/ws/p2p/${OWN}`)).toEqual(['/dns4/salt.example.org/tcp/443/tls/ws'])
    expect(read()).toEqual([])
  })

  it('a wrong address is refused with the card, the value and the rule', () => {
    const wrong: [string[], RegExp][] = [
      [['foo'], /expected an address with a TCP port, got foo/],
      [[''], /got nothing/],
      [['/ip4/203.0.113.9/udp/4101/quic-v1'], /expected an address with a TCP port/],
      [['/unix/tmp/x'], /expected an address with a TCP port/],
      [['/dnsaddr/example.org'], /expected an address with a TCP port/],
      [['/dns/x:4101/tcp/4101'], /expected a name/],
      [['/dns/https:/tcp/4101'], /expected a name/],
      [['/ip4/203.0.113.9/tcp/0'], /TCP port/],
      [['/ip4/203.0.113.9/tcp/70000'], /TCP port/],
      [['/ip4/2a01::1/tcp/4101'], /expected an IP address after \/ip4/],
      [['/ip4/0.0.0.0/tcp/4101'], /other machines can dial/],
      [['/ip6/fe80::1%eth0/tcp/4101'], /./],
      [['/dns4/localhost/tcp/4101'], /write \/ip4\/127\.0\.0\.1/],
      [['/ip4/203.0.113.9/tcp/4101/wss'], /a transport that a node listens on/],
      [[`/ip4/203.0.113.9/tcp/4101/p2p/${OTHER}`], /leave out \/p2p/],
      [['/ip4/203.0.113.9/tcp/1', '/ip4/127.0.0.1/tcp/1'], /addresses of one network/],
      [['/ip4/203.0.113.9/tcp/1', '/ip4/192.168.0.9/tcp/1'], /addresses of one network/],
      [['/ip4/203.0.113.9/tcp/1', '/ip4/203.0.113.9/tcp/1'], /twice/],
      [Array.from({ length: 9 }, (_, i) => `/ip4/203.0.113.9/tcp/${i + 1}`), /at most 8 addresses, got 9/],
      [[`/dns/${'a.'.repeat(120)}org/tcp/4101`], /./],
    ]
    for (const [addresses, rule] of wrong) {
      const message = refusal(() => read(...addresses))
      expect(message, String(addresses)).toMatch(/^the card x\.json/)
      expect(message, String(addresses)).toMatch(rule)
    }
  })

  it('every address that is taken can be listened on, and its network is public, private or loopback', () => {
    for (const [host, network] of [
      ['203.0.113.9', 'public'],
      ['salt.example.org', 'public'],
      ['10.0.0.7', 'private'],
      ['fd00::1', 'private'],
      ['127.3.0.1', 'loopback'],
      ['::1', 'loopback'],
    ] as const) {
      const addresses = read(...hostToAddresses(readHost(host), { tcp: 4101, ws: 4201 }))
      expect(optionsToListen({}, addresses)).toEqual(addressesToListen(addresses))
      expect(networkOf(addresses, 'x')).toBe(network)
    }
  })
})
