/**
 * Answers /geotrace/salt/1. PROTOCOL.md §5.5, §5.6, §7.1. Throws, in this order: decoding errors, CLOCK_SKEWED,
 * FORBIDDEN (no address, so no quota), ROSTER_UNKNOWN, WRONG_SHARD, BLOCK_TOO_OLD, BLOCK_TOO_NEW, EPOCH_LOST, QUOTA_SPENT.
 * EPOCH_LOST comes before the quota is charged, because the quota key is lost together with the secrets. No salt is hashed
 * before the quota is charged, so a refused request costs no hash.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '@geotrace/core-wasm'
import {
  type AnswerEpoch,
  answerContent,
  BLOCKS_PER_EPOCH,
  type Block,
  blocksToMasks,
  blockToState,
  type CertifiedRoster,
  concatBytes,
  decodeSaltRequest,
  encodeUnsignedAnswer,
  equalBytes,
  FederationError,
  SECRET_BYTES,
  type Signer,
  signContent,
} from '@geotrace/core-wasm/wire'
import type { ClockWatch } from '../membership/clock-watch.ts'
import type { RosterStore } from '../membership/roster-store.ts'
import type { Handler, Requester } from '../net/protocol.ts'
import type { Holdings } from './holdings.ts'
import type { QuotaRequester, SaltQuestion } from './quota/quota.ts'
import type { QuotaTable } from './quota/quota-table.ts'
import { leafToSalts, saltsToCommitments } from './secrets/plain-salts.ts'
import type { Hashes } from './secrets/ratchet.ts'
import type { Grip, SeedKeeper, SeedPlace } from './secrets/seed-keeper.ts'
import type { SheetTree } from './sheets/sheet-tree.ts'

/** Under `plain` all replicas share one seed. */
const ONLY_PART = 0

export interface SaltServiceInit {
  core: Hashes
  clock: Clock
  signer: Signer
  rosters: RosterStore
  holdings: Holdings
  keeper: SeedKeeper
  quota: QuotaTable<SaltQuestion>
  watch: ClockWatch
  /** The hashes of the rosters that the central peer pinned for an epoch. */
  pinned(epoch: number): readonly Uint8Array[]
}

export function saltService(init: SaltServiceInit): Handler {
  const { core, clock, signer, rosters, holdings, keeper, quota, watch, pinned } = init

  const epochToAnswer = (grip: Grip, tree: SheetTree, firstEpoch: number, epoch: number, mask: number): AnswerEpoch => {
    const leaf = grip.leaf(0, epoch)
    const salts = leafToSalts(core, leaf, epoch)
    leaf.fill(0)
    const commitments = saltsToCommitments(core, salts, epoch)
    const entries = Array.from({ length: BLOCKS_PER_EPOCH }, (_, i) =>
      (mask >>> i) & 1 ? row(salts, i).slice() : row(commitments, i),
    )
    salts.fill(0)
    return { epoch, mask, entries, path: tree.path(epoch - firstEpoch) }
  }
  const charge = async (
    place: SeedPlace,
    request: Uint8Array,
    masks: Map<number, number>,
    from: Requester,
    nowMs: number,
  ) => {
    const quotaKey = keeper.quotaKey(place)
    if (quotaKey === undefined) throw lost(place.firstEpoch)
    const digest = new Uint8Array(createHash('sha256').update(request).digest())
    const { subnet, prefix, fence } = from as QuotaRequester
    await quota.charge({ quotaKey, shard: place.shard, subnet, prefix, fence, masks, digest }, nowMs)
  }

  return async (bytes, from) => {
    const request = decodeSaltRequest(bytes)
    const nowMs = clock.now()
    watch.assertTrue()
    if (from.prefix === undefined)
      throw new FederationError('FORBIDDEN', 'a relayed requester has no quota: connect directly')
    const certified = rosters.named(request.roster)
    if (certified === undefined)
      throw new FederationError('ROSTER_UNKNOWN', 'no roster of this name here: fetch the newest roster')
    const { firstEpoch } = certified.roster
    const found = holdings.find(firstEpoch, request.shard)
    if (found === undefined) {
      throw new FederationError('WRONG_SHARD', `this node does not hold shard ${request.shard}: ask a replica`, {
        shard: request.shard,
      })
    }
    assertOpen(request.blocks, nowMs)
    const masks = blocksToMasks(request.blocks)
    for (const epoch of masks.keys()) assertPinnable(rosters, pinned(epoch), certified, epoch)
    const { tree } = found.shard
    const isCertified = tree !== undefined && equalBytes(tree.root, certified.roster.sheets[request.shard]!)
    // An answer under another sheet than the certified one would be evidence against this node.
    if (!isCertified) throw lost([...masks.keys()][0]!)
    const place = { shard: request.shard, firstEpoch, part: ONLY_PART }
    const grip = keeper.grip([place], [...masks.keys()], nowMs)
    try {
      await charge(place, bytes, masks, from, nowMs)
      const epochs = [...masks].map(([epoch, mask]) => epochToAnswer(grip, tree, firstEpoch, epoch, mask))
      const unsigned = encodeUnsignedAnswer({ time: nowMs, roster: request.roster, shard: request.shard, epochs })
      return concatBytes(unsigned, signContent(signer, 'geotrace/salt-answer', answerContent(bytes, unsigned)))
    } finally {
      grip.end()
    }
  }
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

function row(bytes: Uint8Array, i: number): Uint8Array {
  return bytes.subarray(i * SECRET_BYTES, (i + 1) * SECRET_BYTES)
}

function lost(epoch: number): FederationError<'EPOCH_LOST'> {
  return new FederationError('EPOCH_LOST', `this node has no secrets of epoch ${epoch}: ask another replica`, { epoch })
}
