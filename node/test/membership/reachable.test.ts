import { keyToPeerId } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { reachableAddresses } from '../../src/membership/reachable.ts'

const KEY = new Uint8Array(32).fill(9)
const kept = (own: string[], listed: string[] = []): string[] => reachableAddresses(KEY, own, listed)

describe('the addresses of a presence that peers dial', () => {
  it('a public IP address with a TCP port and a known transport is dialled', () => {
    const own = ['', '/ws', '/tls/ws', '/tls/http'].flatMap((suffix) => [
      `/ip4/203.0.113.7/tcp/4101${suffix}`,
      `/ip6/2a01:4f8::1/tcp/65535${suffix}`,
    ])
    expect(kept([...own, `/ip4/203.0.113.7/tcp/1/p2p/${keyToPeerId(KEY)}`])).toHaveLength(9)
  })

  it('a loopback, private, link-local, unspecified, shared, multicast or embedded address is not dialled', () => {
    const v4 =
      '127.0.0.1 127.66.0.1 0.0.0.0 10.1.2.3 172.16.0.1 172.31.9.9 192.168.1.1 169.254.1.1 100.64.0.1 224.0.0.1'
    const v6 = ':: ::1 fe80::1 fc00::1 fd99::1 ff02::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1::1 2001:0:1::1'
    expect(kept(v4.split(' ').map((ip) => `/ip4/${ip}/tcp/4101`))).toEqual([])
    expect(kept(v6.split(' ').map((ip) => `/ip6/${ip}/tcp/4101`))).toEqual([])
  })

  it('a name, another transport, a bad port, a bad IP address and another peer id are not dialled', () => {
    expect(
      kept([
        '/dns4/salt.example.org/tcp/4101',
        '/ip4/203.0.113.7/udp/4101/quic-v1',
        '/ip4/203.0.113.7/tcp/0',
        '/ip4/203.0.113.7/tcp/65536',
        '/ip4/203.0.113/tcp/4101',
        '/ip4/203.0.113.7/tcp/4101/p2p-circuit',
        '/ip6zone/eth0/ip6/fe80::1/tcp/4101',
        '/unix/tmp/socket',
        `/ip4/203.0.113.7/tcp/4101/p2p/${keyToPeerId(new Uint8Array(32))}`,
        'text',
      ]),
    ).toEqual([])
  })

  it('an address that the roster lists is dialled whatever it is', () => {
    const listed = ['/ip4/127.0.0.1/tcp/4101', '/dns4/salt.example.org/tcp/4101']
    expect(kept(['/ip4/127.0.0.1/tcp/4102', ...listed], listed)).toEqual(listed)
  })
})
