/**
 * Keeps silent sockets in front of libp2p, which would spend about 2 ms on readers, timers and signals for each.
 * PROTOCOL.md §6.5. When too many wait, the oldest is closed, so silent sockets cannot lock others out.
 * During a handshake flood a socket whose requester connects again too soon waits here too, with its first bytes. If it
 * were closed, it would reconnect at once.
 */
import type { Server, Socket } from 'node:net'
import type { HostLimits } from '../limits.ts'
import type { Arrivals } from './arrivals.ts'
import { addressToSource, type Source } from './requester.ts'

/** A conforming peer sends less before the first answer: two names and a key, an HTTP upgrade, or a TLS hello. */
const HEARD_MAX_BYTES = 4_096
/** Interval at which waiting sockets ask for admission again. */
const LOOK_MS = 100
/** Waiting sockets that are admitted at each interval. More would make the event loop lag again. */
const LET_IN_AT_ONCE = 8
/** Fences of this machine, whose processes never wait. */
const OWN = new Set(['4:127.0.0.1', '6:0:0:0'])

interface Waiting {
  readonly prefix: string
  /** Undefined for this machine and for an unknown address, which never wait. */
  readonly fence: string | undefined
  readonly heard: Uint8Array[]
  heardBytes: number
  /** End of the wait of a socket that has sent bytes and is not admitted, ms. */
  untilMs: number
  /** Hands the socket to the server. */
  readonly enter: () => void
}

/**
 * Takes over the server's handlers of new sockets. Calls them at the first byte of a socket, or later when its requester
 * connects again too soon. The returned function closes all waiting sockets.
 */
export function guardAdmission(
  server: Server,
  limits: HostLimits,
  { arrivals, now, onWait }: AdmissionInit,
): () => void {
  const handlers = server.listeners('connection') as ((socket: Socket) => void)[]
  /** All waiting sockets, the oldest first. */
  const waiting = new Map<Socket, Waiting>()
  const perPrefix = new Map<string, number>()
  /** Waiting sockets that have sent bytes. */
  const early = new Set<Socket>()
  let looking: NodeJS.Timeout | undefined

  function leave(socket: Socket): void {
    const entry = waiting.get(socket)
    if (entry === undefined) return
    waiting.delete(socket)
    onWait(-1)
    const left = perPrefix.get(entry.prefix)! - 1
    if (left === 0) perPrefix.delete(entry.prefix)
    else perPrefix.set(entry.prefix, left)
    early.delete(socket)
    if (early.size === 0) looking = void clearInterval(looking)
  }
  const mayEnter = ({ fence }: Waiting): boolean => fence === undefined || arrivals.enter(fence, now())
  function look(): void {
    let left = LET_IN_AT_ONCE
    for (const socket of [...early]) {
      const entry = waiting.get(socket)!
      if (now() > entry.untilMs) socket.destroy()
      else if (left > 0 && mayEnter(entry)) {
        left--
        entry.enter()
      }
    }
  }
  /** Reads what the socket has sent, because the stream's own buffer does not bound the number of chunks. */
  function listen(socket: Socket, entry: Waiting): void {
    const chunk = socket.read() as Uint8Array | null
    if (chunk === null) return
    entry.heard.push(chunk)
    entry.heardBytes += chunk.length
    if (entry.heardBytes > HEARD_MAX_BYTES) socket.destroy()
  }

  server.maxConnections = limits.connections + limits.pending + limits.silent
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const source = socketToSource(socket)
    const prefix = source.prefix ?? ''
    const same = perPrefix.get(prefix) ?? 0
    if (same >= limits.pendingPerPrefix) {
      socket.destroy()
      return
    }
    if (waiting.size >= limits.silent) {
      const [oldest] = waiting.keys()
      leave(oldest!)
      oldest!.destroy()
    }
    const quiet = (): void => {}
    const end = (): void => void socket.destroy()
    const speak = (): void => {
      if (early.has(socket)) listen(socket, entry)
      else if (mayEnter(entry)) entry.enter()
      else {
        early.add(socket)
        entry.untilMs = now() + limits.silentMs
        looking ??= setInterval(look, LOOK_MS).unref()
        listen(socket, entry)
      }
    }
    const fence = OWN.has(source.fence ?? '') ? undefined : source.fence
    const entry: Waiting = {
      prefix,
      fence,
      heard: [],
      heardBytes: 0,
      untilMs: Number.POSITIVE_INFINITY,
      enter() {
        leave(socket)
        socket.setTimeout(0)
        if (entry.heard.length > 0) socket.unshift(Buffer.concat(entry.heard))
        socket.off('readable', speak)
        socket.off('timeout', end)
        socket.off('error', quiet)
        if (!server.listening) socket.destroy()
        else for (const handler of handlers) handler.call(server, socket)
      },
    }
    waiting.set(socket, entry)
    onWait(1)
    perPrefix.set(prefix, same + 1)
    socket.once('close', () => leave(socket))
    socket.on('error', quiet)
    socket.setTimeout(limits.silentMs)
    socket.once('timeout', end)
    socket.on('readable', speak)
  })
  return () => {
    for (const socket of waiting.keys()) socket.destroy()
  }
}

export interface AdmissionInit {
  arrivals: Arrivals
  /** One socket more waits, or one fewer. */
  onWait(more: 1 | -1): void
  /** Monotonic, ms. */
  now(): number
}

function socketToSource({ remoteAddress = '', remoteFamily }: Socket): Source {
  return addressToSource(`/${remoteFamily === 'IPv6' ? 'ip6' : 'ip4'}/${remoteAddress}`)
}
