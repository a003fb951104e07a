/**
 * Sockets that have not said a word wait here, in front of libp2p, where they cost next to nothing: it would make
 * readers, timers and signals for each, some 2 ms. PROTOCOL.md §6.5. Nobody locks others out by silence: when too many
 * wait, the oldest goes.
 */
import type { Server, Socket } from 'node:net'
import type { HostLimits } from './limits.ts'
import { addressToSource } from './requester.ts'

/** Takes the server's own handlers of new sockets, and calls them at a socket's first byte. Returns what ends it. */
export function guardDoor(server: Server, limits: HostLimits): () => void {
  const handlers = server.listeners('connection') as ((socket: Socket) => void)[]
  const silent = new Map<Socket, string>()
  const perPrefix = new Map<string, number>()
  const leave = (socket: Socket): void => {
    const prefix = silent.get(socket)
    if (prefix === undefined) return
    silent.delete(socket)
    const left = perPrefix.get(prefix)! - 1
    if (left === 0) perPrefix.delete(prefix)
    else perPrefix.set(prefix, left)
  }
  server.maxConnections = limits.connections + limits.pending + limits.silent
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const prefix = socketToPrefix(socket)
    const same = perPrefix.get(prefix) ?? 0
    if (same >= limits.pendingPerPrefix) {
      socket.destroy()
      return
    }
    if (silent.size >= limits.silent) {
      const [oldest] = silent.keys()
      leave(oldest!)
      oldest!.destroy()
    }
    silent.set(socket, prefix)
    perPrefix.set(prefix, same + 1)
    const quiet = (): void => {}
    const end = (): void => void socket.destroy()
    const speak = (): void => {
      leave(socket)
      socket.setTimeout(0)
      socket.off('readable', speak)
      socket.off('timeout', end)
      socket.off('error', quiet)
      if (!server.listening) socket.destroy()
      else for (const handler of handlers) handler.call(server, socket)
    }
    socket.once('close', () => leave(socket))
    socket.on('error', quiet)
    socket.setTimeout(limits.silentMs)
    socket.once('timeout', end)
    socket.once('readable', speak)
  })
  return () => {
    for (const socket of silent.keys()) socket.destroy()
  }
}

function socketToPrefix({ remoteAddress = '', remoteFamily }: Socket): string {
  return addressToSource(`/${remoteFamily === 'IPv6' ? 'ip6' : 'ip4'}/${remoteAddress}`).prefix ?? ''
}
