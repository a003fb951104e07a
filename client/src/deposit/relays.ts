/**
 * The relays of one sync: members that pass its sealed frames on to the central peer. PROTOCOL.md §7.6. One relay, drawn at
 * random, takes all frames until it fails. A member that replicates none of the sync's shards comes first. A replica
 * would learn a shard together with the device's address and time.
 */
import type { Random } from '@geotrace/core-wasm'
import {
  bytesToHex,
  isGone,
  type Manifest,
  type PeerAddress,
  peerIdToKey,
  type RosterChain,
} from '@geotrace/core-wasm/wire'
import { shuffle } from '../salts/shuffle.ts'

interface RelaysInit {
  readonly manifest: Manifest
  readonly rosters: Pick<RosterChain, 'newest'>
  /** Keys (hex) of salt nodes that lied to this tracer. */
  readonly liars: ReadonlySet<string>
  readonly random: Random
  /** Tokens of relays for today, by the key of the member in hex. */
  readonly tokens?: ReadonlyMap<string, Uint8Array> | undefined
}

export class Relays {
  readonly #init: RelaysInit
  /** Keys (hex) of the replicas of this sync's shards. */
  readonly #replicas = new Set<string>()
  readonly #failed = new Set<string>()
  /** Tokens that no relay refused. */
  readonly #tokens: Map<string, Uint8Array>
  /** An address had no frames left, so tokens pay from now on. */
  #isPaying = false
  #current: string | undefined
  #isShared = false

  constructor(init: RelaysInit) {
    this.#init = init
    this.#tokens = new Map(init.tokens)
  }

  /** True when a relay of this sync replicates a shard of it, because no other member took the frame. */
  get isShared(): boolean {
    return this.#isShared
  }

  /** Notes the replicas of a shard that this sync asks. */
  noteReplicas(replicas: readonly PeerAddress[]): void {
    for (const { key } of replicas) this.#replicas.add(bytesToHex(key))
  }

  /** Undefined when all members failed. */
  next(): PeerAddress | undefined {
    const left = this.#members().filter(({ key }) => !this.#failed.has(bytesToHex(key)))
    const apart = left.filter(({ key }) => !this.#replicas.has(bytesToHex(key)))
    const open = apart.length > 0 ? apart : left
    const paid = this.#isPaying ? open.filter((member) => this.tokenOf(member) !== undefined) : []
    const choice = paid.length > 0 ? paid : open
    const same = choice.find(({ key }) => bytesToHex(key) === this.#current)
    const relay = same ?? shuffle(choice, this.#init.random)[0]
    if (relay === undefined) return undefined
    this.#current = bytesToHex(relay.key)
    if (this.#replicas.has(this.#current)) this.#isShared = true
    return relay
  }

  /** The token that pays for the next frame to this relay. A relay could join frames of one token, so it comes only when needed. */
  tokenOf({ key }: PeerAddress): Uint8Array | undefined {
    return this.#isPaying ? this.#tokens.get(bytesToHex(key)) : undefined
  }

  /**
   * Notes a refusal of QUOTA_SPENT or TOKEN_REFUSED. True when the same relay may take the frame another way: with a token, or
   * without the token that it refused.
   */
  mayRepay(relay: PeerAddress): boolean {
    const name = bytesToHex(relay.key)
    if (this.tokenOf(relay) !== undefined) return this.#tokens.delete(name)
    this.#isPaying = true
    return this.#tokens.has(name)
  }

  /** Leaves a relay out for the rest of the sync. */
  fail({ key }: PeerAddress): void {
    this.#failed.add(bytesToHex(key))
  }

  /** Before the first roster the manifest names the members. */
  #members(): readonly PeerAddress[] {
    const { manifest, rosters, liars } = this.#init
    const roster = rosters.newest?.roster
    const members =
      roster?.members.filter(({ key }) => !isGone(roster, key)) ??
      manifest.members.map(({ peerId, addresses }) => ({ key: peerIdToKey(peerId), addresses }))
    return members.filter(({ key }) => !liars.has(bytesToHex(key)))
  }
}
