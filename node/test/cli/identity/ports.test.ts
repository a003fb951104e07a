import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { assertPortsFree, portAdvice } from '../../../src/cli/identity/ports.ts'

describe('the ports of a node', () => {
  it('a port that another program has gives PORT_TAKEN, and a free port gives no error', async () => {
    const stranger = createServer()
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    const { port } = stranger.address() as { port: number }
    const listen = [`/ip4/127.0.0.1/tcp/${port}/ws`]
    await expect(assertPortsFree(listen, 'geotrace salt run', '')).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      data: { port },
    })
    await new Promise((resolve) => stranger.close(resolve))
    await assertPortsFree(listen, 'geotrace salt run', '')
  })

  it('the advice for a port depends on the error code of the system', () => {
    expect(portAdvice(4201, 'EADDRINUSE', 'geotrace salt run')).toMatch(/--ws-port 4211[\s\S]*forward 4201 to 4211/)
    expect(portAdvice(4201, 'EADDRINUSE', 'geotrace salt run', ' --dir /x')).toMatch(
      /geotrace status --dir \/x[\s\S]*geotrace salt run --dir \/x --ws-port 4211/,
    )
    expect(portAdvice(80, 'EACCES', 'geotrace salt run')).toMatch(/above 1023/)
    expect(portAdvice(4101, 'EADDRNOTAVAIL', 'geotrace salt run')).toMatch(/--listen \/ip4\/0\.0\.0\.0/)
  })
})
