/**
 * A network in memory, which replaces net/host.ts and the device's dialer. CONTRIBUTING "Simulation". Frames arrive late,
 * twice, out of order or never; partitions cut one direction; peers are gone. The network loses packets, not frames: as
 * under TCP a lost packet is sent again, and its delay doubles each time. A frame that waits too long is lost with its
 * connection. Frames are copied, so that no two actors share memory.
 */
import {
  busy,
  bytesToHex,
  decodeSeedsReply,
  decodeSeedsRequest,
  EVALUATE_PROTOCOL,
  encodeRefusal,
  errorToRefusal,
  FederationError,
  keyToPeerId,
  type PeerAddress,
  type Protocol,
  SALT_PROTOCOL,
  SEEDS_PROTOCOL,
  STATUS_OK,
} from '@geotrace/core-wasm/wire'
import { addressToRequester } from '../../net/guard/requester.ts'
import type { OpenHost } from '../../net/host.ts'
import { HOST_LIMITS } from '../../net/limits.ts'
import type { Handler, Host, Requester } from '../../net/protocol.ts'
import { type GossipPeer, gossipPeer } from './gossip.ts'
import type { Life } from './machine.ts'
import type { Scheduler } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Trace } from './trace.ts'

/** The current conditions of the network. A fault may change them at any time. */
interface NetworkConditions {
  /** The share of packets that are lost, 0 … 0.3. */
  loss: number
  /** The share of requests that arrive a second time, later. */
  replays: number
  /** The share of exchanges whose connection breaks half-way. */
  resets: number
  /** The shortest and the longest usual delay of one direction, ms. */
  delayMs: readonly [number, number]
}

/** Whether the network drops frames from one machine to another, by machine name. */
export type Cut = (from: string, to: string) => boolean

/** Turns the true answer of a lying peer into the answer that the peer sends. */
export type Tamper = (
  protocol: Protocol,
  request: Uint8Array,
  reply: Uint8Array,
  from: Requester,
) => Uint8Array | Promise<Uint8Array>

export interface SimulatedNetwork {
  conditions: NetworkConditions
  /** The partitions in force. */
  readonly cuts: Set<Cut>
  /** The peers that lie in their answers, by machine name. */
  readonly liars: Map<string, Tamper>
  /** How many answers with salts or evaluations each peer has sent, by machine name. */
  readonly salted: ReadonlyMap<string, number>
  /** The seeds that replicas gave: `taker shard firstEpoch part` with the taker's key in hex. */
  readonly given: Set<string>
  /** Handlers that failed internally. An answer `internal` is a bug of ours. */
  readonly failures: string[]
  /** Opens hosts for the peer whose public key is `key`. */
  openHost(life: Life, key: Uint8Array): OpenHost
  /** Sends a gossip message from the peer `key` to those linked peers whose machine `isTo` names, itself included. */
  inject(key: Uint8Array, message: Uint8Array, isTo: (machine: string) => boolean): void
  /** A device's dialer; `address` is the multiaddr that peers see. A hostile device may pose as the member with this key. */
  dialer(life: Life, address: string, key?: Uint8Array): SimulatedDialer
}

interface SimulatedDialer {
  open(): Promise<{ request: Host['request']; close(): Promise<void> }>
}

const PACKET_BYTES = 1_400
/** Packets of a new connection: TCP, Noise and yamux come before our first byte. */
const CONNECT_PACKETS = 4
const RESEND_MS = 200
/** A device waits longer for a reply than a node does: `STEP_TIMEOUT_MS` of client/src/dialers/libp2p-session.ts. */
const DEVICE_REPLY_MS = 15_000
/** A request arrives again at once, or minutes later, as from a machine that stalled. */
const REPLAY_AFTER_MS = [5, 9 * 60_000] as const
const OFFLINE_AFTER_MS = 300

interface Listener {
  readonly life: Life
  readonly gossip: GossipPeer
  readonly handlers: Map<string, Handler>
  inFlight: number
}
interface Caller {
  readonly life: Life
  readonly gossip?: GossipPeer
  readonly requester: Requester
  readonly replyMs: number
}

/** One request on its way. `fail` and `answer` settle the caller's promise, whichever comes first. */
interface Call {
  readonly caller: Caller
  readonly peer: PeerAddress
  readonly protocol: Protocol
  readonly frame: Uint8Array
  fail(error: Error): void
  answer(reply: Uint8Array): void
}

export function simulatedNetwork(scheduler: Scheduler, random: SeededRandom, trace: Trace): SimulatedNetwork {
  return new MemoryNetwork(scheduler, random, trace)
}

class MemoryNetwork implements SimulatedNetwork {
  conditions: NetworkConditions = { loss: 0, replays: 0, resets: 0, delayMs: [5, 80] }
  readonly cuts = new Set<Cut>()
  readonly liars = new Map<string, Tamper>()
  readonly salted = new Map<string, number>()
  readonly given = new Set<string>()
  readonly failures: string[] = []
  readonly #listeners = new Map<string, Listener>()
  readonly #scheduler: Scheduler
  readonly #random: SeededRandom
  readonly #trace: Trace

  constructor(scheduler: Scheduler, random: SeededRandom, trace: Trace) {
    this.#scheduler = scheduler
    this.#random = random
    this.#trace = trace
  }

  openHost(life: Life, key: Uint8Array): OpenHost {
    return async ({ listen }) => {
      const name = bytesToHex(key)
      const gossip = gossipPeer(life, key, {
        scheduler: this.#scheduler,
        isCut: (from, to) => this.#isCut(from, to),
        travelMs: (bytes, packets, to) => this.#travelMs(bytes, packets, to),
        find: (other) => this.#listeners.get(bytesToHex(other))?.gossip,
      })
      const listener: Listener = { life, gossip, handlers: new Map(), inFlight: 0 }
      const remove = (): void => {
        if (this.#listeners.get(name) === listener) this.#listeners.delete(name)
      }
      this.#listeners.set(name, listener)
      life.onEnd(remove)
      const requester = { key, ...addressToRequester(listen[0] ?? '') }
      return {
        key,
        addresses: () => [...listen],
        serve: async (protocol, handler) => void listener.handlers.set(protocol.id, handler),
        stats: () => ({ connections: 0, waiting: 0, inFlight: listener.inFlight, protocols: {} }),
        request: this.#request({ life, gossip, requester, replyMs: HOST_LIMITS.replyMs }),
        ...gossip.host,
        stop: async () => remove(),
      }
    }
  }

  inject(key: Uint8Array, message: Uint8Array, isTo: (machine: string) => boolean): void {
    this.#listeners.get(bytesToHex(key))?.gossip.inject(message, isTo)
  }

  dialer(life: Life, address: string, key?: Uint8Array): SimulatedDialer {
    return {
      open: async () => {
        // A new key for every session, as client/src/dialers/libp2p-session.ts draws one.
        const requester = { key: key ?? this.#random.bytes(32), ...addressToRequester(address) }
        return { request: this.#request({ life, requester, replyMs: DEVICE_REPLY_MS }), close: async () => {} }
      },
    }
  }

  #isCut(from: string, to: string): boolean {
    for (const cut of this.cuts) if (cut(from, to)) return true
    return false
  }

  /** How long a frame of `bytes` takes one way, ms. The time includes packets that are sent again. */
  #travelMs(bytes: number, packets: number, to: Life): number {
    const { loss, delayMs } = this.conditions
    let lateMs = 0
    for (let i = 0; i < packets + Math.ceil(bytes / PACKET_BYTES); i++) {
      let waitMs = RESEND_MS
      let ownMs = 0
      while (this.#random.chance(loss) && ownMs < 10 * DEVICE_REPLY_MS) {
        ownMs += waitMs
        waitMs *= 2
      }
      lateMs = Math.max(lateMs, ownMs)
    }
    return this.#random.between(...delayMs) + lateMs + to.machine.slowMs
  }

  #request(caller: Caller): Host['request'] {
    return (peer, protocol, bytes, { signal, withinMs = caller.replyMs } = {}) =>
      new Promise((resolve, reject) => {
        if (bytes.length > protocol.requestMaxBytes) {
          throw new RangeError(`"request" expected at most ${protocol.requestMaxBytes} bytes, got ${bytes.length}`)
        }
        const { life } = caller
        // A killed process sends no request, and its promise never settles.
        if (life.isOver) return
        let isOver = false
        const settle = (fn: () => void): void => {
          if (isOver) return
          isOver = true
          cancel()
          signal?.removeEventListener('abort', abort)
          if (!life.isOver) fn()
        }
        const fail = (error: Error): void => settle(() => reject(error))
        const abort = (): void => fail(new FederationError('ABORTED', 'the request was cancelled'))
        const cancel = this.#scheduler.after(Math.min(withinMs, caller.replyMs), () => {
          caller.gossip?.drop(peer.key)
          fail(late(peer.key))
        })
        signal?.addEventListener('abort', abort)
        if (signal?.aborted) return abort()
        const answer = (reply: Uint8Array): void => settle(() => resolve(reply))
        this.#send({ caller, peer, protocol, frame: bytes.slice(), fail, answer })
      })
  }

  #send(call: Call): void {
    const { caller, peer, protocol, frame, fail } = call
    const key = bytesToHex(peer.key)
    const target = this.#listeners.get(key)
    const name = target?.life.machine.name ?? 'nobody'
    this.#trace.note(this.#scheduler.nowMs, `${caller.life.machine.name} asks ${name} ${protocol.id}`, frame)
    if (target === undefined) {
      // A machine that runs without its process answers with a reset.
      this.#scheduler.after(OFFLINE_AFTER_MS, () => fail(unreachable(peer.key)))
      return
    }
    const { resets } = this.conditions
    const breaks = this.#random.chance(resets) ? this.#random.pick(['request', 'reply'] as const) : undefined
    this.#scheduler.after(this.#travelMs(frame.length, CONNECT_PACKETS, target.life), () => {
      if (this.#isCut(caller.life.machine.name, name)) return
      const isGone = target.life.isOver || this.#listeners.get(key) !== target
      if (breaks === 'request' || isGone) return fail(unreachable(peer.key))
      target.gossip.note(caller.gossip && caller.requester.key)
      if (this.#random.chance(this.conditions.replays)) this.#replay(target, protocol, frame, caller.requester)
      void this.#serve(target, protocol, frame, caller.requester).then((reply) => {
        if (target.life.isOver) return
        if (reply === undefined) return fail(unreachable(peer.key))
        this.#reply(call, target, reply, breaks === 'reply')
      })
    })
  }

  #reply({ caller, peer, protocol, fail, answer }: Call, target: Listener, reply: Uint8Array, breaks: boolean): void {
    this.#scheduler.after(this.#travelMs(reply.length, 0, target.life), () => {
      if (this.#isCut(target.life.machine.name, caller.life.machine.name)) return
      if (breaks) return fail(unreachable(peer.key))
      caller.gossip?.note(peer.key)
      this.#trace.note(this.#scheduler.nowMs, `${caller.life.machine.name} receives ${protocol.id}`, reply)
      if (reply.length <= protocol.replyMaxBytes) return answer(reply)
      const data = { size: reply.length, max: protocol.replyMaxBytes }
      fail(new FederationError('MESSAGE_TOO_LARGE', 'a reply too large', data))
    })
  }

  #replay(target: Listener, protocol: Protocol, bytes: Uint8Array, from: Requester): void {
    const [soonest, latest] = REPLAY_AFTER_MS
    // The sixth power makes most replays early and a few minutes late. A connection ends with its process.
    this.#scheduler.after(soonest + this.#random.unit() ** 6 * latest, () => {
      if (!target.life.isOver) void this.#serve(target, protocol, bytes, from)
    })
  }

  async #serve(listener: Listener, protocol: Protocol, bytes: Uint8Array, from: Requester) {
    const handler = listener.handlers.get(protocol.id)
    if (handler === undefined) return undefined
    const { machine } = listener.life
    this.#trace.note(this.#scheduler.nowMs, `${machine.name} serves ${protocol.id}`, bytes)
    let reply: Uint8Array
    try {
      if (listener.inFlight >= HOST_LIMITS.inFlight) throw busy()
      listener.inFlight++
      reply = await this.#inTime(listener.life, handler(bytes.slice(), from)).finally(() => listener.inFlight--)
    } catch (error) {
      reply = encodeRefusal(errorToRefusal(error))
      if (reply[0] === 255) this.failures.push(`${machine.name} ${protocol.id}: ${error}`)
    }
    const givesSecrets = protocol.id === SALT_PROTOCOL.id || protocol.id === EVALUATE_PROTOCOL.id
    if (givesSecrets && reply[0] === STATUS_OK) this.salted.set(machine.name, 1 + (this.salted.get(machine.name) ?? 0))
    if (protocol.id === SEEDS_PROTOCOL.id && reply[0] === STATUS_OK) this.#noteSeeds(bytes, reply, from)
    const tamper = this.liars.get(machine.name)
    return tamper === undefined ? reply.slice() : await tamper(protocol, bytes, reply.slice(), from)
  }

  #noteSeeds(bytes: Uint8Array, reply: Uint8Array, { key }: Requester): void {
    const request = decodeSeedsRequest(bytes)
    if (request.op !== 'fetch' || key === undefined) return
    for (const { part } of decodeSeedsReply(reply).parts)
      this.given.add(`${bytesToHex(key)} ${request.shard} ${request.firstEpoch} ${part}`)
  }

  #inTime(life: Life, task: Promise<Uint8Array>): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const limitMs = HOST_LIMITS.handleMs + life.machine.slowMs
      const cancel = this.#scheduler.after(limitMs, () => reject(busy()))
      task.finally(cancel).then(resolve, reject)
    })
  }
}

function unreachable(key: Uint8Array): FederationError {
  return new FederationError('PEER_UNREACHABLE', `cannot reach ${keyToPeerId(key)}`, { tried: 1 })
}

function late(key: Uint8Array): FederationError {
  const peerId = keyToPeerId(key)
  return new FederationError('PEER_TIMEOUT', `no answer from ${peerId} in time`, { peer: peerId })
}
