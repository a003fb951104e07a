/**
 * Loopback addresses and free ports for a federation on one machine. On Linux and Windows every peer gets an address of its
 * own in 127.0.0.0/8. On macOS all peers share 127.0.0.1.
 */
import { createServer } from 'node:net'

const SHARED = '127.0.0.1'

/** `count` addresses to listen on and to dial from. Use `block` 1 for peers and `block` 2 for devices. */
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
