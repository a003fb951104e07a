/**
 * Links and gossip in memory, which replace net/gossip.ts. CONTRIBUTING "Simulation". A peer judges each message once and
 * floods accepted messages to the peers that it is linked with. A lost message is not sent again, because peers catch up
 * by asking each other later.
 */
import { createHash } from 'node:crypto'
import { boundedMap, bytesToHex, FederationError, keyToPeerId } from '@geotrace/core-wasm/wire'
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
  /** Drops the link with the peer `key`, as libp2p closes a connection whose request was not answered. */
  drop(key: Uint8Array): void
}
export interface GossipWorld {
  scheduler: Scheduler
  isCut(from: string, to: string): boolean
  travelMs(bytes: number, packets: number, to: Life): number
  find(key: Uint8Array): GossipPeer | undefined
}

/** A peer as the other peers of this file see it. */
interface Inside {
  readonly peer: GossipPeer
  /** The peer's key, hex. */
  readonly name: string
  readonly links: Map<string, Link>
  /** Opens this peer's side of a link with `other`. */
  join(other: Inside): void
  hear(from: Inside, message: Message): void
  /** Whether `from` should send a message that would arrive at `atMs`. */
  expects(from: Inside, message: Message, atMs: number): boolean
  hasSeen(message: Message): boolean
  greet(other: Inside): void
}
interface Link {
  readonly other: Inside
  /** Whether this peer takes `other` for a member. A peer decides again whenever its roster may have changed. */
  isMember: boolean
  /** Gossipsub announces a peer once a connection, when each of the two takes the other for a member. */
  isGreeted: boolean
  /** When the last frame arrived on this link. */
  heardMs: number
}
/** A message on its way. Its bytes must not change, so each judge gets a copy. */
interface Message {
  readonly id: string
  readonly bytes: Uint8Array
}
const insides = new WeakMap<GossipPeer, Inside>()

/** Packets of a new connection: TCP, Noise and yamux. */
const CONNECT_PACKETS = 4

export function gossipPeer(life: Life, key: Uint8Array, world: GossipWorld): GossipPeer {
  const { scheduler, isCut, travelMs, find } = world
  const name = bytesToHex(key)
  const links = new Map<string, Link>()
  const seen = boundedMap<string, number>(SEEN_MAX)
  /** When the first copy of a message that is not seen yet will arrive, by message id. */
  const coming = new Map<string, number>()
  const callbacks: ((key: Uint8Array) => void)[] = []
  let isMember = (_key: Uint8Array): boolean => false
  let judge = (_message: Uint8Array): GossipDecision => 'ignore'

  const isSeen = ({ id }: Message): boolean => scheduler.nowMs - (seen.get(id) ?? Number.NEGATIVE_INFINITY) < SEEN_MS
  const see = ({ id }: Message): void => {
    seen.set(id, scheduler.nowMs)
  }
  const hearFrom = (other: string): void => {
    const link = links.get(other)
    if (link !== undefined) link.heardMs = scheduler.nowMs
  }
  const spread = (message: Message, except?: Inside): void => {
    for (const { other, isMember: isOurs } of links.values()) {
      // Skip a neighbour that has seen the message, as gossipsub 1.2 does (IDONTWANT).
      if (other === except || !isOurs || other.hasSeen(message)) continue
      const delayMs = travelMs(message.bytes.length, 0, other.peer.life)
      if (!other.expects(self, message, scheduler.nowMs + delayMs)) continue
      scheduler.after(delayMs, () => {
        if (!isCut(life.machine.name, other.peer.life.machine.name)) other.hear(self, message)
      })
    }
  }
  const gossip: Gossip = {
    async publish(bytes) {
      const message = { id: createHash('sha256').update(bytes).digest('base64'), bytes: bytes.slice() }
      if (life.isOver || isSeen(message)) return
      see(message)
      spread(message)
    },
    onMessage(fn) {
      judge = fn
    },
    onPeer: (fn) => void callbacks.push(fn),
    admit(fn) {
      isMember = fn
      for (const link of links.values()) {
        link.isMember = fn(link.other.peer.key)
        self.greet(link.other)
        link.other.greet(self)
      }
    },
    // A simulated link breaks as a whole, so there is no stream to renew.
    renew() {},
  }
  const peer: GossipPeer = {
    life,
    key,
    host: {
      gossip,
      isLinked(other) {
        const link = links.get(bytesToHex(other))
        return link !== undefined && !link.other.peer.life.isOver
      },
      hasReceivedFrom(other, withinMs) {
        const link = links.get(bytesToHex(other))
        return link !== undefined && scheduler.nowMs - link.heardMs < withinMs
      },
      link: (other) =>
        new Promise((resolve, reject) => {
          if (life.isOver) return
          if (peer.host.isLinked(other.key)) return resolve()
          const fail = (): void => {
            if (!life.isOver) {
              const message = `cannot reach ${keyToPeerId(other.key)}`
              reject(new FederationError('PEER_UNREACHABLE', message, { tried: other.addresses.length }))
            }
          }
          const target = find(other.key)
          if (target === undefined) return void scheduler.after(HOST_LIMITS.dialMs / 10, fail)
          const cancel = scheduler.after(HOST_LIMITS.dialMs, fail)
          scheduler.after(travelMs(0, CONNECT_PACKETS, target.life), () => {
            const names = [life.machine.name, target.life.machine.name] as const
            if (isCut(...names) || isCut(names[1], names[0]) || life.isOver) return
            cancel()
            if (target.life.isOver || find(other.key) !== target) return fail()
            const inside = insides.get(target)!
            self.join(inside)
            inside.join(self)
            self.greet(inside)
            inside.greet(self)
            resolve()
          })
        }),
    },
    note: (other) => other && hearFrom(bytesToHex(other)),
    drop: (other) => void links.delete(bytesToHex(other)),
  }
  const self: Inside = {
    peer,
    name,
    links,
    join(other) {
      const isOurs = isMember(other.peer.key)
      links.set(other.name, { other, isMember: isOurs, isGreeted: false, heardMs: scheduler.nowMs })
    },
    hasSeen: (message) => isSeen(message),
    // Only the first of several copies is sent, unless a cut could stop that copy.
    expects(from, { id }, atMs) {
      const first = coming.get(id)
      if (first !== undefined && first >= scheduler.nowMs && first <= atMs) return false
      const isSure = links.get(from.name)?.isMember === true && !isCut(from.peer.life.machine.name, life.machine.name)
      if (isSure) coming.set(id, atMs)
      return true
    },
    hear(from, message) {
      coming.delete(message.id)
      hearFrom(from.name)
      if (life.isOver || isSeen(message) || links.get(from.name)?.isMember !== true) return
      see(message)
      if (judge(message.bytes.slice()) === 'accept') spread(message, from)
    },
    greet(other) {
      const link = links.get(other.name)
      if (life.isOver || link?.other !== other || link.isGreeted) return
      if (!link.isMember || other.links.get(name)?.isMember !== true) return
      link.isGreeted = true
      for (const fn of callbacks) fn(other.peer.key)
    },
  }
  insides.set(peer, self)
  return peer
}
