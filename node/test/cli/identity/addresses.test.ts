import { describe, expect, it } from 'vitest'
import { addressesToListen, addressToSocket, hostToAddresses } from '../../../src/cli/identity/addresses.ts'

describe('the listen addresses of a node', () => {
  it('a node with a public address listens on every interface, because the router has that address', () => {
    const ports = { tcp: 4101, ws: 4201 }
    const everywhere = ['/ip4/0.0.0.0/tcp/4101', '/ip6/::/tcp/4101', '/ip4/0.0.0.0/tcp/4201/ws', '/ip6/::/tcp/4201/ws']
    for (const host of ['203.0.113.7', 'salt.example.org', '2001:db8::7']) {
      expect(addressesToListen(hostToAddresses(host, ports))).toEqual(everywhere)
    }
    expect(addressesToListen(hostToAddresses('203.0.113.7', ports), { tcp: 4111 }).slice(0, 2)).toEqual([
      '/ip4/0.0.0.0/tcp/4111',
      '/ip6/::/tcp/4111',
    ])
  })

  it('a node with loopback addresses listens on loopback, and addresses of other forms stay unchanged', () => {
    const trial = [
      '/ip4/127.0.0.1/tcp/4101',
      '/ip4/127.3.0.9/tcp/4201/ws',
      '/ip6/::1/tcp/4101',
      '/dns4/localhost/tcp/1',
    ]
    expect(addressesToListen(trial)).toEqual(trial)
    expect(addressesToListen(trial, { tcp: 9, ws: 8 })).toEqual([
      '/ip4/127.0.0.1/tcp/9',
      '/ip4/127.3.0.9/tcp/8/ws',
      '/ip6/::1/tcp/9',
      '/dns4/localhost/tcp/9',
    ])
    expect(addressesToListen(['/dns4/salt.example.org/tcp/443/tls/sni/x/ws'])).toEqual([
      '/dns4/salt.example.org/tcp/443/tls/sni/x/ws',
    ])
  })

  it('a host with an HTTPS port has one address for secure WebSocket and one for HTTPS', () => {
    const secure = hostToAddresses('salt.example.org', { tcp: 4101, ws: 4201, tls: 443 })
    expect(secure.slice(2)).toEqual(['/dns/salt.example.org/tcp/443/tls/ws', '/dns/salt.example.org/tcp/443/tls/http'])
  })

  it('the socket of an address has its host and port, and an address of another form has no socket', () => {
    expect(addressToSocket('/ip6/::/tcp/4101/ws')).toEqual({ host: '::', port: 4101 })
    expect(addressToSocket('/unix/a')).toBeUndefined()
  })
})
