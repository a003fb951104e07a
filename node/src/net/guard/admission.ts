/**
 * Keeps silent sockets in front of libp2p, which would spend about 2 ms on readers, timers and signals for each.
 * PROTOCOL.md §6.5. When too many wait, of one prefix or in all, an old socket is closed, so that silence locks nobody
 * out. While more than two sockets of a prefix wait, each may be silent for a second only.
 * During a handshake flood, and after abuse, a socket whose requester connects again too soon waits here too, with its
 * first bytes. If it were closed, it would reconnect at once.
 */
import type { Server, Socket } from 'node:net'
import type { HostLimits } from '../limits.ts'
import type { Arrivals, KnownAddress } from './arrivals.ts'
import { socketToRequester } from './requester.ts'
import { WaitingTable } from './waiting-table.ts'

/** A conforming peer sends less before the first answer: two names and a key, an HTTP upgrade, or a TLS hello. */
const RECEIVED_MAX_BYTES = 4_096
/** Interval at which sockets that have sent bytes ask for admission again. */
const CHECK_MS = 100
/** Sockets that are admitted at each interval. More would make the event loop lag again. */
const ADMITTED_PER_CHECK = 8
/** More waiting sockets of one prefix than these shorten the silence of each to `HURRIED_SILENT_MS`. */
const UNHURRIED_PER_PREFIX = 2
/** A conforming client sends its first bytes together with the end of the TCP handshake. */
const HURRIED_SILENT_MS = 1_000
/** Fences of this machine, whose processes never wait. */
const OWN_FENCES = new Set(['4:127.0.0.1', '6:0:0:0'])

export interface AdmissionInit {
  arrivals: Pick<Arrivals, 'admit'>
  /** Called with 1 when a socket begins to wait, and with −1 when its wait ends. */
  onWait(more: 1 | -1): void
  /** Monotonic, ms. */
  now(): number
}

/**
 * Takes over the server's handlers of new sockets. Calls them at the first byte of a socket, or later when its requester
 * connects again too soon. The returned function closes all waiting sockets.
 */
export function guardAdmission(server: Server, limits: HostLimits, init: AdmissionInit): () => void {
  const waiting = new WaitingSockets(server, limits, init)
  server.maxConnections = limits.connections + limits.pending + limits.silent
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => waiting.add(socket))
  return () => waiting.end()
}

interface WaitingSocket {
  readonly socket: Socket
  /** Undefined for this machine and for an unknown address, which never wait. */
  readonly requester: KnownAddress | undefined
  readonly received: Uint8Array[]
  receivedBytes: number
  /** End of the wait of a socket that has sent bytes and is not admitted, ms. */
  untilMs: number
  isHurried: boolean
  onReadable(): void
}

class WaitingSockets {
  readonly #server: Server
  readonly #handlers: ((socket: Socket) => void)[]
  readonly #silentMs: number
  readonly #init: AdmissionInit
  readonly #table: WaitingTable<WaitingSocket>
  /** Waiting sockets that have sent bytes. */
  readonly #early = new Set<WaitingSocket>()
  #checking: NodeJS.Timeout | undefined

  constructor(server: Server, { silent, silentMs, pendingPerPrefix }: HostLimits, init: AdmissionInit) {
    this.#server = server
    this.#handlers = server.listeners('connection') as ((socket: Socket) => void)[]
    this.#silentMs = silentMs
    this.#init = init
    this.#table = new WaitingTable(silent, pendingPerPrefix, (entry) => !this.#early.has(entry))
  }

  add(socket: Socket): void {
    const { prefix = '', fence } = socketToRequester(socket)
    const isKnown = fence !== undefined && !OWN_FENCES.has(fence)
    const entry: WaitingSocket = {
      socket,
      requester: isKnown ? { prefix, fence } : undefined,
      received: [],
      receivedBytes: 0,
      untilMs: Number.POSITIVE_INFINITY,
      isHurried: false,
      onReadable: () => this.#onReadable(entry),
    }
    const evicted = this.#table.add(entry, prefix)
    this.#init.onWait(1)
    if (evicted !== undefined) {
      this.#forget(evicted)
      evicted.socket.destroy()
    }
    socket.once('close', () => this.#leave(entry))
    socket.on('error', ignore)
    socket.setTimeout(this.#silentMs)
    socket.once('timeout', destroy)
    socket.on('readable', entry.onReadable)
    this.#hurry(prefix)
  }

  end(): void {
    for (const { socket } of this.#table.items()) socket.destroy()
  }

  /** Shortens the silence of a prefix's sockets when many of them wait. A socket that is shortened already gains no time. */
  #hurry(prefix: string): void {
    const same = this.#table.itemsOf(prefix)
    if (same.length <= UNHURRIED_PER_PREFIX) return
    for (const entry of same) {
      if (entry.isHurried || this.#early.has(entry)) continue
      entry.isHurried = true
      entry.socket.setTimeout(Math.min(this.#silentMs, HURRIED_SILENT_MS))
    }
  }

  #onReadable(entry: WaitingSocket): void {
    if (this.#early.has(entry)) read(entry)
    else if (this.#isAdmitted(entry, false)) this.#enter(entry)
    else {
      this.#early.add(entry)
      entry.socket.setTimeout(this.#silentMs)
      entry.untilMs = this.#init.now() + this.#silentMs
      this.#checking ??= setInterval(() => this.#check(), CHECK_MS).unref()
      read(entry)
    }
  }

  #isAdmitted({ requester }: WaitingSocket, isWaiting: boolean): boolean {
    return requester === undefined || this.#init.arrivals.admit(requester, this.#init.now(), isWaiting)
  }

  #check(): void {
    let left = ADMITTED_PER_CHECK
    for (const entry of [...this.#early]) {
      if (this.#init.now() > entry.untilMs) entry.socket.destroy()
      else if (left > 0 && this.#isAdmitted(entry, true)) {
        left--
        this.#enter(entry)
      }
    }
  }

  /** Hands the socket to the server. */
  #enter(entry: WaitingSocket): void {
    const { socket, received, onReadable } = entry
    this.#leave(entry)
    socket.setTimeout(0)
    if (received.length > 0) socket.unshift(Buffer.concat(received))
    socket.off('readable', onReadable)
    socket.off('timeout', destroy)
    socket.off('error', ignore)
    if (!this.#server.listening) socket.destroy()
    else for (const handler of this.#handlers) handler.call(this.#server, socket)
  }

  #leave(entry: WaitingSocket): void {
    if (this.#table.delete(entry)) this.#forget(entry)
  }

  #forget(entry: WaitingSocket): void {
    this.#init.onWait(-1)
    this.#early.delete(entry)
    if (this.#early.size === 0) this.#checking = void clearInterval(this.#checking)
  }
}

/** Reads what the socket has sent, because the stream's own buffer does not bound the number of chunks. */
function read(entry: WaitingSocket): void {
  const chunk = entry.socket.read() as Uint8Array | null
  if (chunk === null) return
  entry.received.push(chunk)
  entry.receivedBytes += chunk.length
  if (entry.receivedBytes > RECEIVED_MAX_BYTES) entry.socket.destroy()
}

function ignore(): void {}

function destroy(this: Socket): void {
  this.destroy()
}
