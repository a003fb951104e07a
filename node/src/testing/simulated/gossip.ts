/**
 * Links and gossip in memory, which replace net/gossip.ts. CONTRIBUTING "Simulation". A peer judges each message once and
 * floods accepted messages to the peers that it is linked with. A lost message is not sent again, because peers catch up
 * by asking each other later.
 */
import { createHash } from 'node:crypto'
import { boundedMap, bytesToHex, FederationError, keyToPeerId, type PeerAddress } from '@geotrace/core-wasm/wire'
import type { Gossip, GossipDecision } from '../../net/gossip.ts'
import { HOST_LIMITS } from '../../net/limits.ts'
import type { Host } from '../../net/protocol.ts'
import type { Life } from './machine.ts'
import type { Scheduler } from './scheduler.ts'

/** Gossipsub forgets a message id after two minutes. */
const SEEN_MS = 120_000
const SEEN_MAX = 4_096

export interface GossipPeer {
  readonly life: Life
  readonly key: Uint8Array
  readonly host: Pick<Host, 'link' | 'isLinked' | 'hasReceivedFrom' | 'gossip'>
  /** Notes that a request or an answer of the peer `key` arrived. */
  note(key: Uint8Array | undefined): void
  /** Sends a message to the linked peers whose machine `isTo` names, and takes it in itself when `isTo` names its own. */
  inject(bytes: Uint8Array, isTo: (machine: string) => boolean): void
  /** Drops the link with the peer `key`, as libp2p closes a connection whose request was not answered. */
  drop(key: Uint8Array): void
}
interface GossipWorld {
  scheduler: Scheduler
  isCut(from: string, to: string): boolean
  travelMs(bytes: number, packets: number, to: Life): number
  find(key: Uint8Array): GossipPeer | undefined
}

/** One side of a link. */
interface Link {
  readonly other: LinkedPeer
  /** Whether this peer takes `other` for a member. A peer decides again whenever its roster may have changed. */
  isMember: boolean
  /** Gossipsub announces a peer once a connection, when each of the two takes the other for a member. */
  isGreeted: boolean
  /** When the last frame arrived on this link. */
  receivedMs: number
}
/** A message on its way. Its bytes must not change, so each judge gets a copy. */
interface Message {
  readonly id: string
  readonly bytes: Uint8Array
}

/** Packets of a new connection: TCP, Noise and yamux. */
const CONNECT_PACKETS = 4

export function gossipPeer(life: Life, key: Uint8Array, world: GossipWorld): GossipPeer {
  return new LinkedPeer(life, key, world)
}

class LinkedPeer implements GossipPeer {
  readonly life: Life
  readonly key: Uint8Array
  readonly host: GossipPeer['host']
  readonly #world: GossipWorld
  readonly #name: string
  readonly #links = new Map<string, Link>()
  readonly #seen = boundedMap<string, number>(SEEN_MAX)
  /** When the first copy of a message that is not seen yet will arrive, by message id. */
  readonly #coming = new Map<string, number>()
  readonly #callbacks: ((key: Uint8Array) => void)[] = []
  #isMember = (_key: Uint8Array): boolean => false
  #judge = (_message: Uint8Array): GossipDecision => 'ignore'

  constructor(life: Life, key: Uint8Array, world: GossipWorld) {
    this.life = life
    this.key = key
    this.#world = world
    this.#name = bytesToHex(key)
    this.host = {
      gossip: this.#gossip(),
      isLinked: (other) => this.#links.get(bytesToHex(other))?.other.life.isOver === false,
      hasReceivedFrom: (other, withinMs) => {
        const link = this.#links.get(bytesToHex(other))
        return link !== undefined && this.#nowMs - link.receivedMs < withinMs
      },
      link: (other) => this.#link(other),
    }
  }

  note(other: Uint8Array | undefined): void {
    if (other !== undefined) this.#receive(bytesToHex(other))
  }

  drop(other: Uint8Array): void {
    this.#links.delete(bytesToHex(other))
  }

  inject(bytes: Uint8Array, isTo: (machine: string) => boolean): void {
    if (this.life.isOver) return
    const message = toMessage(bytes)
    const { scheduler, travelMs } = this.#world
    for (const { other } of this.#links.values()) {
      if (!isTo(other.life.machine.name)) continue
      scheduler.after(travelMs(bytes.length, 0, other.life), () => {
        if (!this.#isCutTo(other)) other.#take(this, message)
      })
    }
    if (!isTo(this.life.machine.name)) return
    this.#see(message)
    this.#judge(message.bytes.slice())
  }

  get #nowMs(): number {
    return this.#world.scheduler.nowMs
  }

  #gossip(): Gossip {
    return {
      publish: async (bytes) => {
        const message = toMessage(bytes)
        if (this.life.isOver || this.#hasSeen(message)) return
        this.#see(message)
        this.#spread(message)
      },
      onMessage: (fn) => {
        this.#judge = fn
      },
      onPeer: (fn) => void this.#callbacks.push(fn),
      admit: (fn) => {
        this.#isMember = fn
        for (const link of this.#links.values()) {
          link.isMember = fn(link.other.key)
          this.#greet(link.other)
          link.other.#greet(this)
        }
      },
      // A simulated link breaks as a whole, so there is no stream to renew.
      renew() {},
    }
  }

  #link(other: PeerAddress): Promise<void> {
    const { scheduler, travelMs, isCut, find } = this.#world
    return new Promise((resolve, reject) => {
      const { life } = this
      if (life.isOver) return
      if (this.host.isLinked(other.key)) return resolve()
      const fail = (): void => {
        if (life.isOver) return
        const message = `cannot reach ${keyToPeerId(other.key)}`
        reject(new FederationError('PEER_UNREACHABLE', message, { tried: other.addresses.length }))
      }
      const target = find(other.key)
      if (!(target instanceof LinkedPeer)) return void scheduler.after(HOST_LIMITS.dialMs / 10, fail)
      const cancel = scheduler.after(HOST_LIMITS.dialMs, fail)
      scheduler.after(travelMs(0, CONNECT_PACKETS, target.life), () => {
        const [from, to] = [life.machine.name, target.life.machine.name]
        if (isCut(from, to) || isCut(to, from) || life.isOver) return
        cancel()
        if (target.life.isOver || find(other.key) !== target) return fail()
        this.#join(target)
        target.#join(this)
        this.#greet(target)
        target.#greet(this)
        resolve()
      })
    })
  }

  /** Opens this peer's side of a link with `other`. */
  #join(other: LinkedPeer): void {
    const isMember = this.#isMember(other.key)
    this.#links.set(other.#name, { other, isMember, isGreeted: false, receivedMs: this.#nowMs })
  }

  #greet(other: LinkedPeer): void {
    const link = this.#links.get(other.#name)
    if (this.life.isOver || link?.other !== other || link.isGreeted) return
    if (!link.isMember || other.#links.get(this.#name)?.isMember !== true) return
    link.isGreeted = true
    for (const fn of this.#callbacks) fn(other.key)
  }

  #hasSeen({ id }: Message): boolean {
    return this.#nowMs - (this.#seen.get(id) ?? Number.NEGATIVE_INFINITY) < SEEN_MS
  }

  #see({ id }: Message): void {
    this.#seen.set(id, this.#nowMs)
  }

  #spread(message: Message, except?: LinkedPeer): void {
    const { scheduler, travelMs } = this.#world
    for (const { other, isMember } of this.#links.values()) {
      // Skip a neighbour that has seen the message, as gossipsub 1.2 does (IDONTWANT).
      if (other === except || !isMember || other.#hasSeen(message)) continue
      const delayMs = travelMs(message.bytes.length, 0, other.life)
      if (!other.#expects(this, message, scheduler.nowMs + delayMs)) continue
      scheduler.after(delayMs, () => {
        if (!this.#isCutTo(other)) other.#take(this, message)
      })
    }
  }

  /** Whether `from` should send a message that would arrive at `atMs`. */
  #expects(from: LinkedPeer, { id }: Message, atMs: number): boolean {
    // Only the first of several copies is sent, unless a cut could stop that copy.
    const first = this.#coming.get(id)
    if (first !== undefined && first >= this.#nowMs && first <= atMs) return false
    const isSure = this.#links.get(from.#name)?.isMember === true && !from.#isCutTo(this)
    if (isSure) this.#coming.set(id, atMs)
    return true
  }

  #take(from: LinkedPeer, message: Message): void {
    this.#coming.delete(message.id)
    this.#receive(from.#name)
    if (this.life.isOver || this.#hasSeen(message) || this.#links.get(from.#name)?.isMember !== true) return
    this.#see(message)
    if (this.#judge(message.bytes.slice()) === 'accept') this.#spread(message, from)
  }

  #receive(name: string): void {
    const link = this.#links.get(name)
    if (link !== undefined) link.receivedMs = this.#nowMs
  }

  #isCutTo(other: LinkedPeer): boolean {
    return this.#world.isCut(this.life.machine.name, other.life.machine.name)
  }
}

function toMessage(bytes: Uint8Array): Message {
  return { id: createHash('sha256').update(bytes).digest('base64'), bytes: bytes.slice() }
}
