/**
 * Loopback addresses and free ports for a federation on one machine. On Linux and Windows every peer gets an address of its
 * own in 127.0.0.0/8. On macOS all peers share 127.0.0.1.
 */
import { createServer } from 'node:net'
import { systemRandom } from '../platform/random.ts'

const SHARED = '127.0.0.1'
/**
 * Below the ports that systems give to outgoing connections (from 32,768 on Linux, higher elsewhere). So no connection takes
 * the port before its peer listens.
 */
const [PORT_MIN, PORT_MAX] = [20_000, 32_767]
const TRIES_MAX = 100

/** `count` addresses to listen on and to dial from. Use `block` 1 for peers and `block` 2 for devices. */
export async function loopbackAddresses(block: number, count: number): Promise<string[]> {
  const own = (i: number) => `127.${block}.${Math.floor(i / 250)}.${(i % 250) + 1}`
  const port = await freePort(own(0)).catch(() => undefined)
  return Array.from({ length: count }, (_, i) => (port === undefined ? SHARED : own(i)))
}

/** A TCP port that was free on `address` a moment ago, drawn at random. Rejects with the error of the last try. */
export async function freePort(address: string): Promise<number> {
  for (let tries = 1; ; tries++) {
    const [high = 0, low = 0] = systemRandom(2)
    const port = PORT_MIN + ((high * 256 + low) % (PORT_MAX - PORT_MIN + 1))
    try {
      await listenOnce(address, port)
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === TRIES_MAX) throw error
    }
  }
}

function listenOnce(address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, address, () => server.close(() => resolve()))
  })
}
