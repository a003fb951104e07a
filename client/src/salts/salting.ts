/**
 * The part of a salting that a sync uses: the secrets that risk points need, the requests for them, and the answers.
 * PROTOCOL.md §5. A secret is a salt under `plain` and a cell key under `threshold`.
 */
import { type Core, isFederationError, type NeededSecrets, type Random, type Salting } from '@geotrace/core-wasm'
import { bytesToHex, type CertifiedRoster, type PeerAddress } from '@geotrace/core-wasm/wire'
import type { Session } from '../dialers/dialer.ts'

/** Names one secret within a device; it begins with roster and shard. */
export type SecretName = string

/** The roster under which an epoch is salted: the pinned one, before its pin the one in force. */
export type RosterOf = (epoch: number) => CertifiedRoster | undefined

/** A secret that a sync needs. */
export interface WantedSecret {
  readonly name: SecretName
  readonly certified: CertifiedRoster
  readonly shard: number
  readonly epoch: number
  /** Unix ms from which no node gives the secret, and the device forgets it. */
  readonly untilMs: number
}

/** One request for secrets of one shard under one roster. */
export interface SecretRequest<W extends WantedSecret = WantedSecret> {
  readonly certified: CertifiedRoster
  readonly shard: number
  readonly wanted: readonly W[]
}

/** Tokens by the member that takes them. */
interface TokenWallet {
  of(node: Uint8Array, nowMs: number): Uint8Array | undefined
  /** Forgets a token that its member refused. */
  drop(node: Uint8Array, nowMs: number): void
  /** Counts a request to a member. */
  note(node: Uint8Array): void
}

export interface SecretAsker {
  readonly session: Session
  readonly random: Random
  /** Keys (hex) of salt nodes that lied to this tracer, which does not ask them again. */
  readonly liars: Set<string>
  /** Keys (hex) of salt nodes that did not answer in this sync, which asks them last. */
  readonly away: Set<string>
  /** Salt nodes that do not know the roster of a request of this sync. */
  readonly strangers: Set<PeerAddress>
  /** The device's own secret orders the replicas. */
  readonly secrets: { readonly device: Uint8Array }
  /** The tokens of this device; undefined in a federation without tokens. */
  readonly wallet?: TokenWallet | undefined
  readonly clock: { now(): number }
}

/** The outcome of one request, after as many nodes were asked as it took. */
export interface Asked {
  /** 32 bytes each, in the order of the request; undefined when too few nodes answered. */
  readonly secrets: readonly Uint8Array[] | undefined
  /** The clocks of the nodes that answered, Unix ms. */
  readonly times: readonly number[]
  readonly requests: number
  readonly lies: number
  /** The shortest pause that a node asked for (QUOTA_SPENT, BUSY). */
  readonly retryAfterMs: number | undefined
  /** Elements with their padding that each node evaluated; 0 under `plain`. */
  readonly padded: number
}
/** The counts of a request under way. */
interface Tally {
  retryAfterMs: number | undefined
}

/** Notes what the refusal of one node means for the requests that follow. */
export function noteRefusal(
  error: unknown,
  node: PeerAddress,
  tally: Tally,
  { away, strangers }: Pick<SecretAsker, 'away' | 'strangers'>,
): void {
  if (isFederationError(error, 'PEER_UNREACHABLE') || isFederationError(error, 'PEER_TIMEOUT')) {
    away.add(bytesToHex(node.key))
  }
  if (isFederationError(error, 'ROSTER_UNKNOWN')) strangers.add(node)
  if (isFederationError(error, 'QUOTA_SPENT') || isFederationError(error, 'BUSY')) {
    const { retryAfterMs } = error.data as { retryAfterMs: number }
    tally.retryAfterMs = Math.min(tally.retryAfterMs ?? retryAfterMs, retryAfterMs)
  }
}

/** Methods, because a sync passes to a salting only what the same salting made. */
export interface ClientSalting<W extends WantedSecret = WantedSecret> {
  /** Which secrets `core.fixesToRiskPoints` numbers. */
  readonly kind: Salting
  /** The secret of each entry of `needed`; undefined where no roster is known. */
  wanted(
    needed: NeededSecrets,
    rosterOf: RosterOf,
    core: Pick<Core, 'cellToRegion' | 'regionToShard'>,
  ): (W | undefined)[]
  /** The requests for all of `missing`. Pure: two devices that need the same secrets ask alike. */
  plan(missing: Iterable<W>): SecretRequest<W>[]
  /** Throws ABORTED and programming mistakes. Whatever a salt node does wrong costs one request only. */
  ask(request: SecretRequest<W>, asker: SecretAsker): Promise<Asked>
}
