/**
 * The checks that every service for devices makes of a request, and the shard that it asks for. PROTOCOL.md §5.6, §5.11. Throws, in
 * this order: CLOCK_SKEWED, FORBIDDEN (no address, so no quota), NOT_ALLOWED; then ROSTER_UNKNOWN, WRONG_SHARD,
 * BLOCK_TOO_OLD, BLOCK_TOO_NEW, ROSTER_UNKNOWN, EPOCH_LOST.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type Block,
  blockToState,
  type CertifiedRoster,
  equalBytes,
  FederationError,
  type Signer,
} from '@geotrace/core-wasm/wire'
import type { ClockWatch } from '../membership/clock-watch.ts'
import type { RosterStore } from '../membership/roster-store.ts'
import type { Requester } from '../net/protocol.ts'
import type { Holdings } from './holdings.ts'
import type { QuotaRequester } from './quota/quota.ts'
import type { SeedKeeper, SeedPlace } from './secrets/seed-keeper.ts'
import type { Shard } from './seeds/shard.ts'
import type { SheetTree } from './sheets/sheet-tree.ts'

export interface ServiceInit {
  clock: Clock
  signer: Signer
  rosters: RosterStore
  holdings: Holdings
  keeper: SeedKeeper
  watch: ClockWatch
  /** The hashes of the rosters that the central peer pinned for an epoch. */
  pinned(epoch: number): readonly Uint8Array[]
  /** Whether the operator lets this address ask, given as 4 or 16 bytes. */
  allows(ip: Uint8Array): boolean
}
/** The shard that a request names, under a roster that may be pinned for each epoch of the request. */
interface Requested {
  readonly certified: CertifiedRoster
  readonly shard: Shard
  /** The tree of the certified sheet. */
  readonly tree: SheetTree
}

/** The networks that a request is charged to. Throws CLOCK_SKEWED, FORBIDDEN, NOT_ALLOWED. */
export function assertServed({ watch, allows }: ServiceInit, from: Requester): QuotaRequester {
  watch.assertTrue()
  const { subnet, prefix, fence, ip } = from
  if (subnet === undefined || prefix === undefined || fence === undefined || ip === undefined)
    throw new FederationError('FORBIDDEN', 'a relayed requester has no quota: connect directly')
  if (!allows(ip))
    throw new FederationError(
      'NOT_ALLOWED',
      'this node answers only the addresses that its operator allows: ask another replica',
    )
  return { subnet, prefix, fence }
}

/** `epochs` are those of the blocks. */
export function findRequested(
  { rosters, holdings, pinned }: ServiceInit,
  request: { readonly roster: Uint8Array; readonly shard: number },
  blocks: readonly Block[],
  epochs: readonly number[],
  nowMs: number,
): Requested {
  const certified = rosters.named(request.roster)
  if (certified === undefined)
    throw new FederationError('ROSTER_UNKNOWN', 'no roster of this name here: fetch the newest roster')
  const found = holdings.find(certified.roster.firstEpoch, request.shard)
  if (found === undefined) {
    throw new FederationError('WRONG_SHARD', `this node does not hold shard ${request.shard}: ask a replica`, {
      shard: request.shard,
    })
  }
  assertOpen(blocks, nowMs)
  for (const epoch of epochs) assertPinnable(rosters, pinned(epoch), certified, epoch)
  const { tree } = found.shard
  // An answer under another sheet than the certified one would be evidence against this node.
  if (tree === undefined || !equalBytes(tree.root, certified.roster.sheets[request.shard]!)) {
    throw lost(epochs[0]!)
  }
  return { certified, shard: found.shard, tree }
}

/** The key of the quota table for a place. Throws EPOCH_LOST, because the key is lost together with the secrets. */
export function placeToQuotaKey(keeper: SeedKeeper, place: SeedPlace): Uint8Array {
  const quotaKey = keeper.quotaKey(place)
  if (quotaKey === undefined) throw lost(place.firstEpoch)
  return quotaKey
}

function assertOpen(blocks: readonly Block[], nowMs: number): void {
  for (const { size, n } of blocks) {
    const state = blockToState(size, n, nowMs)
    if (state === 'too-old')
      throw new FederationError('BLOCK_TOO_OLD', `block ${n} ended before the salt window: its salt is lost`, {
        block: n,
      })
    if (state === 'too-new')
      throw new FederationError('BLOCK_TOO_NEW', `block ${n} starts too far ahead: check the clock`, { block: n })
  }
}

/** Throws ROSTER_UNKNOWN unless the epoch is pinned to the named roster or, while its pin is unknown, may be. */
function assertPinnable(
  rosters: RosterStore,
  pinned: readonly Uint8Array[],
  certified: CertifiedRoster,
  epoch: number,
): void {
  const isPinned = pinned.some((hash) => equalBytes(hash, certified.hash))
  if (pinned.length > 0 ? isPinned : rosters.pinnable(epoch).includes(certified)) return
  throw new FederationError('ROSTER_UNKNOWN', `epoch ${epoch} has another roster: fetch the newest rosters and pins`)
}

function lost(epoch: number): FederationError<'EPOCH_LOST'> {
  return new FederationError('EPOCH_LOST', `this node has no secrets of epoch ${epoch}: ask another replica`, { epoch })
}
