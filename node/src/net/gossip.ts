/**
 * Gossip among members: gossipsub on one topic, its streams closed to everybody else. PROTOCOL.md §7.5.
 * Messages carry their own signatures, so gossipsub's are off and its ids are hashes: old news travels once.
 * Without identify nobody learns from us what we speak; members are known to, so they are announced to gossipsub here.
 */
import { createHash } from 'node:crypto'
import { GOSSIP_MAX_BYTES, GOSSIP_TOPIC, peerIdToKey } from '@geotrace/core-wasm/wire'
import { type GossipSub, gossipsub, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub'
import { type Connection, type Libp2p, type PeerId, type Stream, serviceCapabilities } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import type { Log } from '../platform/log.ts'

/** New and worth passing on, known or of no use now, false. */
export type GossipDecision = 'accept' | 'ignore' | 'reject'

export interface Gossip {
  /** To everybody linked; who is not gets it by asking others later. */
  publish(message: Uint8Array): Promise<void>
  /** `judge` sees each new message of others once. */
  onMessage(judge: (message: Uint8Array) => GossipDecision): void
  /** Calls `fn` when a peer can be reached by gossip; what was said before it has not heard. */
  onPeer(fn: (key: Uint8Array) => void): void
  /** Who takes part; nobody before it is called. Who does no more is dropped at once. */
  admit(isMember: (key: Uint8Array) => boolean): void
  /** Opens the streams that are missing; to be called every so often, for one that broke comes back by nothing else. */
  renew(): void
}

/** Room for one message and gossipsub's own words about others. */
const RPC_MAX_BYTES = GOSSIP_MAX_BYTES + 16_384
/** Gossipsub's own messages are small; a member that sends more than these is not following the protocol. */
const RPC_LIMITS = {
  maxSubscriptions: 16,
  maxMessages: 64,
  maxIhaveMessageIDs: 512,
  maxIwantMessageIDs: 512,
  maxIdontwantMessageIDs: 512,
  maxControlMessages: 64,
  maxPeerInfos: 0,
}
/** One topic; gossipsub reckons its name and some kilobytes of bookkeeping. */
const TOPIC_BYTES_MAX = 16_384
const OUTBOUND_BUFFER_MAX_BYTES = 1_048_576

/**
 * How many peers each message is passed on to. Gossipsub's six to twelve are for strangers of whom most may be hostile;
 * here each more is a copy that everybody gets in vain, and it was most of what a roster cost (eight copies, 2026-11).
 * What is missed all the same comes by IHAVE within a second, or by POOL.
 */
const MESH = { D: 4, Dlo: 3, Dhi: 6, Dscore: 2, Dout: 1, Dlazy: 4 }

/** To put among the services of a libp2p node. */
export function gossipServices() {
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
      // Members are few, known and answerable; several may share an address behind one router.
      scoreParams: { IPColocationFactorWeight: 0 },
    }),
    // Gossipsub asks for identify, to learn who speaks it; greeting members does that here.
    greeter: ({ registrar }: { registrar: Registrar }) => ({
      registrar,
      [serviceCapabilities]: ['@libp2p/identify'] as const,
    }),
  }
}

/** Gossipsub's own view of its streams, one each way a peer; its class has them, the type it exports does not. */
interface Router extends GossipSub {
  readonly streamsInbound: ReadonlyMap<string, unknown>
  readonly streamsOutbound: ReadonlyMap<string, { readonly rawStream: Stream }>
}
type Services = { gossipsub: GossipSub; greeter: { registrar: Registrar } }

export interface HostGossip extends Gossip {
  /** Whether this connection is with somebody who takes part. */
  isAdmitted(connection: Connection): boolean
}

/** Of a node that has started. */
export async function openGossip(libp2p: Libp2p<Services>, log: Log): Promise<HostGossip> {
  const router = libp2p.services.gossipsub as Router
  const { registrar } = libp2p.services.greeter
  let isMember = (_key: Uint8Array): boolean => false
  let judge = (_message: Uint8Array): GossipDecision => 'ignore'
  const isAdmitted = ({ remotePeer, limits }: Connection): boolean =>
    limits == null && remotePeer.type === 'Ed25519' && isMember(remotePeer.publicKey.raw)
  const topologies = () => router.protocols.flatMap((protocol) => registrar.getTopologies(protocol))
  const greet = (connection: Connection): void => {
    if (!isAdmitted(connection)) return
    for (const topology of topologies()) topology.onConnect?.(connection.remotePeer, connection)
  }
  /** What each peer sends on. Gossipsub only half-closes it when it gives a peer up, and the peer would talk to nobody. */
  const inbound = new Map<string, Stream>()
  const forget = (peer: PeerId): void => {
    for (const topology of topologies()) topology.onDisconnect?.(peer)
    inbound.get(peer.toString())?.abort(new Error('let go'))
  }
  /** A stream reset while it was opened stays in its books; one that brought too much is no longer read. */
  const isBroken = (peer: string): boolean => {
    const outbound = router.streamsOutbound.get(peer)?.rawStream
    const isMute = outbound !== undefined && outbound.status !== 'open'
    return isMute || (inbound.has(peer) && !router.streamsInbound.has(peer))
  }

  for (const protocol of router.protocols) {
    const { handler, options } = registrar.getHandler(protocol)
    await registrar.unhandle(protocol)
    await registrar.handle(
      protocol,
      (stream, connection) => {
        if (!isAdmitted(connection)) return stream.abort(new Error('only for members'))
        const peer = connection.remotePeer.toString()
        inbound.set(peer, stream)
        stream.addEventListener('close', () => {
          if (inbound.get(peer) === stream) inbound.delete(peer)
        })
        return handler(stream, connection)
      },
      options,
    )
  }
  libp2p.addEventListener('connection:open', ({ detail }) => greet(detail))
  libp2p.addEventListener('peer:disconnect', ({ detail }) => forget(detail))
  router.topicValidators.set(GOSSIP_TOPIC, (_peer, { data }) => {
    try {
      return RESULTS[judge(data)]
    } catch {
      log.error('gossip.judge-failed')
      return TopicValidatorResult.Ignore
    }
  })
  router.subscribe(GOSSIP_TOPIC)

  return {
    isAdmitted,
    async publish(message) {
      await router.publish(GOSSIP_TOPIC, message)
    },
    onMessage(fn) {
      judge = fn
    },
    onPeer(fn) {
      router.addEventListener('subscription-change', ({ detail: { peerId, subscriptions } }) => {
        const isThere = subscriptions.some(({ topic, subscribe }) => topic === GOSSIP_TOPIC && subscribe)
        if (isThere && peerId.type === 'Ed25519') fn(peerIdToKey(peerId.toString()))
      })
    },
    admit(fn) {
      isMember = fn
      for (const connection of libp2p.getConnections()) {
        if (isAdmitted(connection)) greet(connection)
        else forget(connection.remotePeer)
      }
    },
    renew() {
      for (const connection of libp2p.getConnections()) {
        if (!isAdmitted(connection)) continue
        if (isBroken(connection.remotePeer.toString())) forget(connection.remotePeer)
        // Gossipsub leaves a stream alone that it has.
        greet(connection)
      }
    },
  }
}

const RESULTS = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const
