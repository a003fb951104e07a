import { expect, it } from 'vitest'
import { textToNetworks } from '../../../src/net/guard/networks.ts'
import { addressToRequester } from '../../../src/net/guard/requester.ts'

const ip = (address: string): Uint8Array => addressToRequester(address).ip!

it('a list holds exactly the addresses of its networks, of both families, and embedded IPv4 counts as IPv4', () => {
  const networks = textToNetworks('# our carrier\n203.0.113.0/25\r\n\n 2001:db8:7::/48 # phones\n198.51.100.9\n::1\n')
  expect(networks.size).toBe(4)
  const has = (address: string): boolean => networks.has(ip(address))
  expect(['/ip4/203.0.113.0/tcp/1', '/ip4/203.0.113.127/tcp/1', '/ip4/198.51.100.9/tcp/1'].map(has)).toEqual([
    ...[true, true, true],
  ])
  expect(['/ip4/203.0.113.128/tcp/1', '/ip4/198.51.100.8/tcp/1', '/ip4/0.0.0.1/tcp/1'].map(has)).toEqual([
    ...[false, false, false],
  ])
  expect(['/ip6/2001:db8:7:ffff::1/tcp/1', '/ip6/::1/tcp/1', '/ip6/::ffff:203.0.113.5/tcp/1'].map(has)).toEqual([
    ...[true, true, true],
  ])
  expect(['/ip6/2001:db8:8::1/tcp/1', '/ip6/::2/tcp/1', '/ip6/::ffff:203.0.113.200/tcp/1'].map(has)).toEqual([
    ...[false, false, false],
  ])
})

it('a list without a network, with a bad line or with too many lines is refused, with the number of the line', () => {
  for (const text of ['', '# nothing\n\n']) expect(() => textToNetworks(text)).toThrow('got 0')
  for (const item of [
    '203.0.113.0/33',
    '203.0.113/24',
    'example.org',
    '2001:db8::/129',
    '1.2.3.4/',
    '1.2.3.4/8/9x',
    'x:y',
  ]) {
    expect(() => textToNetworks(`10.0.0.0/8\n${item}\n`), item).toThrow(RangeError)
    expect(() => textToNetworks(`10.0.0.0/8\n${item}\n`), item).toThrow('line 2')
  }
  const many = (count: number): string =>
    Array.from({ length: count }, (_, i) => `10.${i >> 8}.${i & 255}.1`).join('\n')
  expect(textToNetworks(many(10_000)).size).toBe(10_000)
  expect(() => textToNetworks(many(10_001))).toThrow('10001')
})
