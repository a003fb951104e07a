/**
 * Bounds the time until an HTTP connection has sent the head of its next request. PROTOCOL.md §6.5.
 * Node's `headersTimeout` and `requestTimeout` need a server that listens itself. libp2p hands sockets to its server, so
 * they would never fire.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** `opened` is the event with the same socket object as later requests: `connection`, or `secureConnection` under TLS. */
export function boundHeads(server: Server, opened: 'connection' | 'secureConnection', ms: number): void {
  const timers = new WeakMap<Socket, NodeJS.Timeout>()
  const stop = (socket: Socket): void => clearTimeout(timers.get(socket))
  const wait = (socket: Socket): void => {
    if (socket.destroyed) return
    stop(socket)
    timers.set(
      socket,
      setTimeout(() => socket.destroy(), ms),
    )
  }
  server.on(opened, (socket: Socket) => {
    socket.once('close', () => stop(socket))
    wait(socket)
  })
  server.on('upgrade', ({ socket }: IncomingMessage) => stop(socket))
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    stop(socket)
    response.once('close', () => wait(socket))
  })
}
