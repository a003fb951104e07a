import { describe, expect, it } from 'vitest'
import { hostToAddresses } from '../../../src/cli/identity/addresses.ts'
import { optionsToListen } from '../../../src/cli/process/run-options.ts'

describe('the listen options', () => {
  it('HTTPS and secure WebSocket share one port and need a certificate', () => {
    const secure = hostToAddresses('salt.example.org', { tcp: 4101, ws: 4201, tls: 443 })
    const files = { cert: 'fullchain.pem', key: 'privkey.pem' }
    const both = ['/ip4/0.0.0.0/tcp/443/tls/ws', '/ip6/::/tcp/443/tls/ws']
    expect(optionsToListen(files, secure).slice(4)).toEqual(both)
    expect(optionsToListen({ ...files, httpsPort: 8443 }, secure).slice(4)).toEqual(
      both.map((address) => address.replace('443', '8443')),
    )
    const plain = hostToAddresses('203.0.113.7', { tcp: 4101, ws: 4201 })
    expect(optionsToListen({ ...files, httpsPort: 443 }, plain).slice(4)).toEqual(both)
    expect(optionsToListen({ ...files, httpsPort: 443 }, ['/ip4/127.3.0.9/tcp/1'])).toEqual([
      '/ip4/127.3.0.9/tcp/1',
      '/ip4/127.3.0.9/tcp/443/tls/ws',
    ])
    expect(() => optionsToListen({}, secure)).toThrow(/--cert FILE and --key FILE/)
    expect(() => optionsToListen({ httpsPort: 443 }, plain)).toThrow(/--cert FILE/)
    expect(() => optionsToListen(files, plain)).toThrow(/add --https-port/)
    expect(() => optionsToListen({ cert: 'fullchain.pem' }, secure)).toThrow(/belong together/)
    expect(() => optionsToListen({ ...files, httpsPort: 443, listen: both }, [])).toThrow(/remove .*--https-port/)
  })

  it('--listen replaces the addresses of the node and excludes the port options', () => {
    const listen = ['/ip4/0.0.0.0/tcp/1']
    expect(optionsToListen({ listen }, ['/ip4/127.0.0.1/tcp/2'])).toBe(listen)
    expect(() => optionsToListen({ listen, port: 3 }, [])).toThrow(/--port/)
  })
})
