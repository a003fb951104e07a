import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { assertLocalAddress, assertPortsFree, portAdvice } from '../../../src/cli/identity/ports.ts'

describe('the ports of a node', () => {
  it('a port that another program has gives PORT_TAKEN, and a free port gives no error', async () => {
    const stranger = createServer()
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    const { port } = stranger.address() as { port: number }
    const listen = [`/ip4/127.0.0.1/tcp/${port}/ws`]
    await expect(assertPortsFree(listen, 'salt', '')).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      data: { port, next: expect.stringContaining('--ws-port') },
    })
    await new Promise((resolve) => stranger.close(resolve))
    await assertPortsFree(listen, 'salt', '')
  })

  it('the advice for a port depends on the error code of the system, the transport and the role', () => {
    const advice = (address: string, code: string, role: 'salt' | 'central' = 'salt', dir = '') => {
      const { what, next } = portAdvice({ address, port: Number(/tcp\/(\d+)/.exec(address)![1]), code }, role, dir)
      return `${what}\n${next}`
    }
    expect(advice('/ip4/0.0.0.0/tcp/4201/ws', 'EADDRINUSE')).toMatch(
      /taken by another program[\s\S]*--ws-port 4211[\s\S]*forward 4201 to 4211/,
    )
    expect(advice('/ip4/0.0.0.0/tcp/4301', 'EADDRINUSE', 'central', ' --dir /x')).toMatch(
      /geotrace status --dir \/x[\s\S]*geotrace central run --dir \/x --port 4311[\s\S]*geotrace central init/,
    )
    expect(advice('/ip4/0.0.0.0/tcp/65535/tls/ws', 'EADDRINUSE')).toMatch(/--https-port 65525/)
    expect(advice('/ip4/0.0.0.0/tcp/80', 'EACCES')).toMatch(/may not listen on port 80[\s\S]*above 1023/)
    expect(advice('/ip4/203.0.113.9/tcp/4101', 'EADDRNOTAVAIL')).toMatch(/is not an address of this machine/)
    // A name that does not resolve is not a taken port.
    expect(advice('/ip4/0.0.0.0/tcp/4101', 'ENOTFOUND')).not.toMatch(/taken/)
  })

  it('an address to dial from must be an IP address of this machine', async () => {
    await assertLocalAddress(undefined)
    await assertLocalAddress('127.0.0.1')
    for (const wrong of ['203.0.113.9', 'localhost', 'x', '', '256.1.1.1'])
      await expect(assertLocalAddress(wrong)).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
  })
})
