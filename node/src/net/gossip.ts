/**
 * Gossip among members: gossipsub on one topic, with streams for members only. PROTOCOL.md §7.5.
 * Messages carry their own signatures, so gossipsub's signatures are off. A message id is the hash of the message, so
 * each message travels once. Without identify gossipsub learns no protocols, so this file announces members to it.
 */
import { createHash } from 'node:crypto'
import { GOSSIP_MAX_BYTES, GOSSIP_TOPIC, peerIdToKey } from '@geotrace/core-wasm/wire'
import { type GossipSub, gossipsub, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub'
import { type Connection, type Libp2p, type PeerId, type Stream, serviceCapabilities } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { Log } from '../platform/log.ts'
import { withDeadline } from './deadline.ts'

/** `accept`: new, forward it. `ignore`: known or of no use now. `reject`: false. */
export type GossipDecision = 'accept' | 'ignore' | 'reject'

export interface Gossip {
  /** Sends a message to all linked peers. Other peers fetch it later from their neighbours. */
  publish(message: Uint8Array): Promise<void>
  /** Sets the function that decides on each new message of others. It sees a message once. */
  onMessage(judge: (message: Uint8Array) => GossipDecision): void
  /** Calls `fn` when gossip can reach a peer. The peer has received none of the earlier messages. */
  onPeer(fn: (key: Uint8Array) => void): void
  /** Sets who takes part: nobody before the first call. Peers that are no longer members are dropped at once. */
  admit(isMember: (key: Uint8Array) => boolean): void
  /** Opens missing streams. The caller repeats this, because a broken stream is opened again by nothing else. */
  renew(): void
}

/** Size of an RPC: one message and gossipsub's control data. */
const RPC_MAX_BYTES = GOSSIP_MAX_BYTES + 16_384
/** Counts in one RPC. A member that follows the protocol stays below them. */
const RPC_LIMITS = {
  maxSubscriptions: 16,
  maxMessages: 64,
  maxIhaveMessageIDs: 512,
  maxIwantMessageIDs: 512,
  maxIdontwantMessageIDs: 512,
  maxControlMessages: 64,
  maxPeerInfos: 0,
}
/** Size of the topics of one peer. Gossipsub counts the name of our one topic and some kilobytes of its own. */
const TOPIC_BYTES_MAX = 16_384
const OUTBOUND_BUFFER_MAX_BYTES = 1_048_576

/**
 * How many peers receive each message. Gossipsub's default of six to twelve assumes that most peers are hostile. Here
 * every further copy is wasted: with eight copies they were most of the traffic of a roster (measured 2026-11). A missed
 * message arrives by IHAVE within a second, or by POOL.
 */
const MESH = { D: 4, Dlo: 3, Dhi: 6, Dscore: 2, Dout: 1, Dlazy: 4 }

/** Services for the options of a libp2p node. */
export function gossipServices(): {
  gossipsub: ReturnType<typeof gossipsub>
  greeter(components: { registrar: Registrar }): { registrar: Registrar }
} {
  return {
    gossipsub: gossipsub({
      ...MESH,
      globalSignaturePolicy: StrictNoSign,
      msgIdFn: ({ data }) => createHash('sha256').update(data).digest(),
      allowedTopics: [GOSSIP_TOPIC],
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true,
      fallbackToFloodsub: false,
      doPX: false,
      maxInboundDataLength: RPC_MAX_BYTES,
      maxOutboundBufferSize: OUTBOUND_BUFFER_MAX_BYTES,
      maxTopicBytesPerPeer: TOPIC_BYTES_MAX,
      decodeRpcLimits: RPC_LIMITS,
      // Members are few and known. Several may share the address of one router.
      scoreParams: { IPColocationFactorWeight: 0 },
    }),
    // Gossipsub requires identify in order to learn which peers support it. `#greet` reports members instead.
    greeter: ({ registrar }: { registrar: Registrar }) => ({
      registrar,
      [serviceCapabilities]: ['@libp2p/identify'] as const,
    }),
  }
}

/** Private maps of gossipsub: one stream for each direction and peer; private-members.test.ts checks for them. */
interface Router extends GossipSub {
  readonly streamsInbound: ReadonlyMap<string, unknown>
  readonly streamsOutbound: ReadonlyMap<string, { readonly rawStream: Stream }>
}
/** The private method by which gossipsub opens the stream to a peer; private-members.test.ts checks for it. */
interface Opener {
  createOutboundStream(peer: PeerId, connection: Pick<Connection, 'newStream'>): Promise<void>
}
type Services = { gossipsub: GossipSub; greeter: { registrar: Registrar } }

interface HostGossip extends Gossip {
  /** Whether this connection is with a member. */
  isAdmitted(connection: Connection): boolean
}

/** Opens gossip on a started libp2p node. A peer has `openMs` to accept our stream. */
export async function openGossip(libp2p: Libp2p<Services>, log: Log, openMs: number): Promise<HostGossip> {
  const gossip = new MemberGossip(libp2p, log, openMs)
  await gossip.open()
  return gossip
}

class MemberGossip implements HostGossip {
  readonly #libp2p: Libp2p<Services>
  readonly #router: Router
  readonly #registrar: Registrar
  readonly #log: Log
  /**
   * The stream that each peer sends on. Gossipsub half-closes the stream when it drops a peer. Close it completely,
   * otherwise the peer keeps sending to a stream without a reader.
   */
  readonly #inbound = new Map<string, Stream>()
  /** Streams that we are opening, one for each peer. The bound of connections bounds them too. */
  readonly #openings = new Map<string, AbortController>()
  readonly #openMs: number
  #isMember = (_key: Uint8Array): boolean => false
  #judge = (_message: Uint8Array): GossipDecision => 'ignore'

  constructor(libp2p: Libp2p<Services>, log: Log, openMs: number) {
    this.#libp2p = libp2p
    this.#router = libp2p.services.gossipsub as Router
    this.#registrar = libp2p.services.greeter.registrar
    this.#log = log
    this.#openMs = openMs
  }

  async open(): Promise<void> {
    this.#openSideBySide()
    for (const protocol of this.#router.protocols) await this.#takeOver(protocol)
    this.#libp2p.addEventListener('connection:open', ({ detail }) => this.#greet(detail))
    this.#libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#forget(detail))
    this.#router.topicValidators.set(GOSSIP_TOPIC, (_peer, { data }) => {
      try {
        return RESULTS[this.#judge(data)]
      } catch {
        this.#log.error('gossip.judge-failed')
        return TopicValidatorResult.Ignore
      }
    })
    this.#router.subscribe(GOSSIP_TOPIC)
  }

  isAdmitted({ remotePeer, limits }: Connection): boolean {
    return limits == null && remotePeer.type === 'Ed25519' && this.#isMember(remotePeer.publicKey.raw)
  }

  async publish(message: Uint8Array): Promise<void> {
    await this.#router.publish(GOSSIP_TOPIC, message)
  }

  onMessage(judge: (message: Uint8Array) => GossipDecision): void {
    this.#judge = judge
  }

  onPeer(fn: (key: Uint8Array) => void): void {
    this.#router.addEventListener('subscription-change', ({ detail: { peerId, subscriptions } }) => {
      const isThere = subscriptions.some(({ topic, subscribe }) => topic === GOSSIP_TOPIC && subscribe)
      if (isThere && peerId.type === 'Ed25519') fn(peerIdToKey(peerId.toString()))
    })
  }

  admit(isMember: (key: Uint8Array) => boolean): void {
    this.#isMember = isMember
    for (const connection of this.#libp2p.getConnections()) {
      if (this.isAdmitted(connection)) this.#greet(connection)
      else this.#forget(connection.remotePeer)
    }
  }

  renew(): void {
    for (const connection of this.#libp2p.getConnections()) {
      if (!this.isAdmitted(connection)) continue
      if (this.#isBroken(connection.remotePeer.toString())) this.#forget(connection.remotePeer)
      // Gossipsub opens only streams that are missing.
      this.#greet(connection)
    }
  }

  /** Replaces gossipsub's handler of inbound streams by one that serves members only. */
  async #takeOver(protocol: string): Promise<void> {
    const { handler, options } = this.#registrar.getHandler(protocol)
    await this.#registrar.unhandle(protocol)
    await this.#registrar.handle(
      protocol,
      (stream, connection) => {
        if (!this.isAdmitted(connection)) return stream.abort(new Error('gossip is for members of the federation'))
        const peer = connection.remotePeer.toString()
        this.#inbound.set(peer, stream)
        stream.addEventListener('close', () => {
          if (this.#inbound.get(peer) === stream) this.#inbound.delete(peer)
        })
        return handler(stream, connection)
      },
      options,
    )
  }

  /**
   * Gossipsub opens outbound streams one after the other, so a member that accepts none would delay the streams to all
   * other peers. Returns to gossipsub at once instead.
   */
  #openSideBySide(): void {
    const router = this.#router as unknown as Opener
    const open = router.createOutboundStream.bind(router)
    router.createOutboundStream = async (peer, connection) => {
      const name = peer.toString()
      if (this.#openings.has(name)) return
      const opening = new AbortController()
      this.#openings.set(name, opening)
      const late = () => new Error(`the peer accepted no gossip stream within ${this.#openMs} ms`)
      const newStream: Connection['newStream'] = async (protocols, options) =>
        await withDeadline(
          this.#openMs,
          late,
          (signal) => connection.newStream(protocols, { ...options, signal }),
          opening.signal,
        )
      void open(peer, { newStream }).finally(() => {
        if (this.#openings.get(name) === opening) this.#openings.delete(name)
      })
    }
  }

  #topologies() {
    return this.#router.protocols.flatMap((protocol) => this.#registrar.getTopologies(protocol))
  }

  #greet(connection: Connection): void {
    if (!this.isAdmitted(connection)) return
    for (const topology of this.#topologies()) topology.onConnect?.(connection.remotePeer, connection)
  }

  #forget(peer: PeerId): void {
    for (const topology of this.#topologies()) topology.onDisconnect?.(peer)
    this.#openings.get(peer.toString())?.abort()
    this.#openings.delete(peer.toString())
    this.#inbound.get(peer.toString())?.abort(new Error('gossip with this peer has ended'))
  }

  /** Gossipsub keeps an outbound stream that was reset during its opening, and stops reading an oversized inbound one. */
  #isBroken(peer: string): boolean {
    const outbound = this.#router.streamsOutbound.get(peer)?.rawStream
    const isMute = outbound !== undefined && outbound.status !== 'open'
    return isMute || (this.#inbound.has(peer) && !this.#router.streamsInbound.has(peer))
  }
}

const RESULTS = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const
