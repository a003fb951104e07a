/** A TCP proxy on the loopback. It can go silent as after a partition: connections stay open and carry nothing. */
import { connect, createServer, type Socket } from 'node:net'
import type { Stage } from '../salt/federation.ts'

export interface Proxy {
  /** Multiaddr that the proxy listens on. */
  readonly address: string
  /** Open connections carry nothing from now on. New connections work. */
  freeze(): void
  /** Closes all connections. */
  cut(): void
}

export async function startProxy(stage: Stage, port: number): Promise<Proxy> {
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1')
    const pair: [Socket, Socket] = [inner, outer]
    pairs.add(pair)
    inner.pipe(outer)
    outer.pipe(inner)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        for (const other of pair) other.destroy()
        pairs.delete(pair)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy()
  }
  stage.atEnd(async () => {
    cut()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = `/ip4/127.0.0.1/tcp/${(server.address() as { port: number }).port}`
  return {
    address,
    freeze() {
      for (const [inner, outer] of pairs) {
        inner.unpipe(outer)
        outer.unpipe(inner)
        inner.pause()
        outer.pause()
      }
    },
    cut,
  }
}
