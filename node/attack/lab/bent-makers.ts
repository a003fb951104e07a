/**
 * Salt nodes that make two seeds of each of their parts while a federation is founded, and what the others do about it. The
 * nodes run as they are; only the answers on their way out are bent.
 */
import type { Core, SimulatedClock } from '@geotrace/core-wasm'
import {
  bytesToHex,
  DEMO_PHRASE,
  decodeEvidence,
  decodeGossip,
  decodeSeedsReply,
  decodeSeedsRequest,
  demoSecret,
  equalBytes,
  type Manifest,
  manifestToRoster,
  SEEDS_PROTOCOL,
  STATUS_OK,
  secretToSigner,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import { createHost, type OpenHost } from '../../src/net/host.ts'
import type { Handler, Host } from '../../src/net/protocol.ts'
import { seededRandom } from '../../src/testing/simulated/seeded-random.ts'
import { twoSeeds } from '../../src/testing/simulated/two-seeds.ts'

interface BentMakersInit {
  readonly core: Core
  readonly clock: Pick<SimulatedClock, 'now'>
  /** So many replicas lie, the first ones of this shard. */
  readonly liars: number
  readonly shard: number
}

export class BentMakers {
  readonly #init: BentMakersInit
  /** Hex keys of the liars. */
  readonly keys = new Set<string>()
  /** When a node first published the proof against a liar, Unix ms, by hex key. */
  readonly provenMs = new Map<string, number>()
  /** Answers with seeds before that, by liar, taker and shard. */
  readonly #answers = new Map<string, number>()

  constructor(init: BentMakersInit) {
    this.#init = init
  }

  /** The most answers with seeds of one shard that one replica got from a liar until the proof. */
  get answersMax(): number {
    return Math.max(0, ...this.#answers.values())
  }

  /** Opens the network of a salt node of the federation that is being founded. */
  readonly hostOf = (operator: string, manifest: Manifest): OpenHost => {
    const { core, liars, shard } = this.#init
    const signer = secretToSigner(demoSecret(DEMO_PHRASE, `peer/${operator}`))
    const roster = manifestToRoster(manifest)
    const isLiar = shardToReplicas(roster, shard)
      .slice(0, liars)
      .some(({ key }) => equalBytes(key, signer.key))
    if (!isLiar) return async (init) => this.#watched(await createHost(init))
    const name = bytesToHex(signer.key)
    this.keys.add(name)
    const more = { rosterOf: () => roster, noteDrawn: () => {} }
    const bend = twoSeeds({ manifest, core, signer, random: seededRandom(operator), ...more })
    const bent =
      (handler: Handler): Handler =>
      async (bytes, from) => {
        const reply = await bend(SEEDS_PROTOCOL, bytes, await handler(bytes, from), from)
        this.#note(name, bytes, reply, from.key)
        return reply
      }
    return async (init) => {
      const host = await createHost(init)
      const serve: Host['serve'] = (protocol, handler) =>
        host.serve(protocol, protocol.id === SEEDS_PROTOCOL.id ? bent(handler) : handler)
      return { ...host, serve }
    }
  }

  #note(liar: string, request: Uint8Array, reply: Uint8Array, taker: Uint8Array | undefined): void {
    if (this.provenMs.has(liar) || taker === undefined || reply[0] !== STATUS_OK) return
    const { op, shard } = decodeSeedsRequest(request)
    if (op !== 'fetch' || decodeSeedsReply(reply).parts.length === 0) return
    const name = `${liar} ${bytesToHex(taker)} ${shard}`
    this.#answers.set(name, (this.#answers.get(name) ?? 0) + 1)
  }

  #watched(host: Host): Host {
    const { gossip } = host
    const publish: typeof gossip.publish = (message) => {
      const said = decodeGossip(message)
      if (said.kind === 'evidence') {
        const liar = bytesToHex(decodeEvidence(said.evidence).key)
        if (!this.provenMs.has(liar)) this.provenMs.set(liar, this.#init.clock.now())
      }
      return gossip.publish(message)
    }
    const watched: typeof gossip = {
      publish,
      onMessage: (judge) => gossip.onMessage(judge),
      onPeer: (fn) => gossip.onPeer(fn),
      admit: (isMember) => gossip.admit(isMember),
      renew: () => gossip.renew(),
    }
    return { ...host, gossip: watched }
  }
}
