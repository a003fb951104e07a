/**
 * Addresses of this machine for federations that live on it whole: an own 127.0.0.0/8 address for everybody where the
 * system has them (Linux, Windows), the one shared address where it has not (macOS), and ports that are free.
 */
import { createServer } from 'node:net'

const SHARED = '127.0.0.1'

/** `count` addresses that one can listen on and dial from; `block` keeps nodes (1) and people (2) apart. */
export async function loopbackAddresses(block: number, count: number): Promise<string[]> {
  const own = (i: number) => `127.${block}.${Math.floor(i / 250)}.${(i % 250) + 1}`
  const port = await freePort(own(0)).catch(() => undefined)
  return Array.from({ length: count }, (_, i) => (port === undefined ? SHARED : own(i)))
}

/** A TCP port that was free on `address` a moment ago. */
export function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, address, () => {
      const bound = server.address()
      server.close(() =>
        bound !== null && typeof bound === 'object' ? resolve(bound.port) : reject(new Error('no port')),
      )
    })
  })
}
