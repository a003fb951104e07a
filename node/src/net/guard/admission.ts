/**
 * Sockets that have not said a word wait here, in front of libp2p, where they cost next to nothing: it would make
 * readers, timers and signals for each, some 2 ms. PROTOCOL.md §6.5. Nobody locks others out by silence: when too many
 * wait, the oldest goes. Those that come again too soon while the node is late wait here too, with what they said: were
 * they closed, they would come again at once.
 */
import type { Server, Socket } from 'node:net'
import type { HostLimits } from '../limits.ts'
import type { Arrivals } from './arrivals.ts'
import { addressToSource, type Source } from './requester.ts'

/** What an honest peer says before it is answered: two names and a key, or a request for an upgrade, or a TLS hello. */
const HEARD_MAX_BYTES = 4_096
/** How often it is looked who may come in. */
const LOOK_MS = 100
/** When the node has caught up those that wait come in so many at a time, or it would be late again. */
const LET_IN_AT_ONCE = 8
/** Processes of this machine. */
const OWN = new Set(['4:127.0.0.1', '6:0:0:0'])

interface Waiting {
  readonly prefix: string
  /** Undefined when the node is not to judge whence it comes. */
  readonly fence: string | undefined
  readonly heard: Uint8Array[]
  heardBytes: number
  /** Whoever speaks and may not come in waits no longer than this, ms. */
  untilMs: number
  /** Hands it to the server. */
  readonly enter: () => void
}

/**
 * Takes the server's own handlers of new sockets, and calls them at a socket's first byte, or later when it comes again too
 * soon. Returns what ends it.
 */
export function guardAdmission(
  server: Server,
  limits: HostLimits,
  { arrivals, now, onWait }: AdmissionInit,
): () => void {
  const handlers = server.listeners('connection') as ((socket: Socket) => void)[]
  /** In the order of their coming. */
  const waiting = new Map<Socket, Waiting>()
  const perPrefix = new Map<string, number>()
  /** Of those, who has spoken. */
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
  /** Keeps what it says, so that nothing waits in the stream's own buffer, which has no bound in pieces. */
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
  /** One more socket waits, or one less. */
  onWait(more: 1 | -1): void
  /** Monotonic, ms. */
  now(): number
}

function socketToSource({ remoteAddress = '', remoteFamily }: Socket): Source {
  return addressToSource(`/${remoteFamily === 'IPv6' ? 'ip6' : 'ip4'}/${remoteAddress}`)
}
