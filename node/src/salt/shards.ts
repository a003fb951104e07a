/**
 * The shards that a node holds in one period: from no seed, to a seed with its sheet, to the node's signature.
 * PROTOCOL.md §4.7, §5.1, §5.2. A seed that does not lead to the certified root is dropped. A node that signed a sheet
 * never signs another sheet of that period after the same roster. It never makes a second seed for it either.
 */

import type { Random } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  equalBytes,
  keyToShards,
  type PeerAddress,
  type Roster,
  type Seed,
  type SignedSheet,
  type Signer,
  shardToReplicas,
  sheetContent,
  sheetEpochs,
  signContent,
} from '@geotrace/core-wasm/wire'
import type { Records } from '../platform/file-records.ts'
import type { Hashes } from './secrets/ratchet.ts'
import type { SeedKeeper } from './secrets/seed-keeper.ts'
import { seedToLines } from './sheets/sheet-maker.ts'
import { readSheetRoot, writeSheetRecord } from './sheets/sheet-record.ts'
import { linesToSheetTree, type SheetTree } from './sheets/sheet-tree.ts'

/** Another replica of a shard. */
export interface Replica extends PeerAddress {
  /** Place among the replicas. The reachable replica of the lowest rank makes the seed. */
  readonly rank: number
}
export interface Shard {
  readonly shard: number
  readonly rank: number
  readonly otherReplicas: readonly Replica[]
  /** Rank of the replica that made or gave the held seed. Of two unsigned seeds the one of the lower rank stays. */
  maker: number | undefined
  tree: SheetTree | undefined
  signed: SignedSheet | undefined
  /** The root is on disk, or about to be, so no other seed is taken in this period. */
  isBound: boolean
  /** No seed is here and no reachable replica had one. Logged once. */
  isLost: boolean
}

interface ShardsInit {
  /** The roster of the period, certified or due. */
  roster: Roster
  signer: Signer
  core: Hashes
  random: Random
  records: Records
  keeper: SeedKeeper
  /** The certified roster of the period; undefined before its certificate. */
  certified(): CertifiedRoster | undefined
}

export interface Shards {
  /** The certified or the due roster. */
  readonly roster: Roster
  readonly all: readonly Shard[]
  readonly firstEpoch: number
  readonly epochs: number
  find(shard: number): Shard | undefined
  isHeld(shard: Shard): boolean
  /** The root that a seed leads to. */
  rootOf(seed: Seed): Promise<Uint8Array>
  /** Makes a seed, unless this node signed for this period before; true if it made one. */
  make(shard: Shard): Promise<boolean>
  /**
   * Takes a whole seed that the replica of rank `maker` made or gave. False when the seed is not valid, or when this node
   * holds another seed that is signed or of a lower or equal rank.
   */
  take(shard: Shard, seed: Seed, maker: number): Promise<boolean>
  /** Takes a ratcheted seed with its tree, which `recoverTree` checked. */
  takeLate(shard: Shard, seed: Seed, tree: SheetTree): Promise<boolean>
  sign(shard: Shard): Promise<void>
  drop(shard: Shard): void
  /** Drops every seed whose sheet was not certified, and settles the others. */
  settle(): Promise<void>
}

export function createShards({ roster, signer, core, random, records, keeper, certified }: ShardsInit): Shards {
  const { previous, firstEpoch } = roster
  const epochs = sheetEpochs(roster)
  const all = keyToShards(roster, signer.key).map((shard) => toShard(roster, shard, signer.key))
  const isHeld = ({ shard }: Shard): boolean => keeper.has(shard, firstEpoch)

  /** The seed that each shard is getting. Computing a sheet takes time, and another seed may replace it meanwhile. */
  const claims = new Map<number, object>()
  const toTree = async ({ state }: Seed): Promise<SheetTree> =>
    linesToSheetTree(core, await seedToLines(core, state, firstEpoch, epochs), epochs)

  const drop = (shard: Shard): void => {
    claims.delete(shard.shard)
    keeper.drop(shard.shard, firstEpoch)
    shard.tree = undefined
    shard.maker = undefined
  }
  /** Holds the seed before the sheet is computed, so that no other seed is taken meanwhile. */
  const claim = async (shard: Shard, seed: Seed, maker: number): Promise<boolean> => {
    const claimed = {}
    claims.set(shard.shard, claimed)
    keeper.hold(shard.shard, firstEpoch, epochs, seed)
    shard.maker = maker
    const tree = await toTree(seed)
    const own = await ownRoot(shard)
    if (claims.get(shard.shard) !== claimed || !isHeld(shard)) return false
    const want = certified()?.roster.sheets[shard.shard] ?? own
    if (want !== undefined && !equalBytes(tree.root, want)) {
      drop(shard)
      return false
    }
    shard.tree = tree
    shard.isLost = false
    if (certified() !== undefined) await confirm(shard, tree.root)
    return true
  }
  const ownRoot = ({ shard }: Shard): Promise<Uint8Array | undefined> =>
    readSheetRoot(records, shard, { previous, firstEpoch })
  const note = ({ shard }: Shard, root: Uint8Array): Promise<void> =>
    writeSheetRecord(records, shard, { previous, firstEpoch, root })
  /** The sheet of this seed is the certified one: records its root and lets the keeper wind the seed. */
  const confirm = async (shard: Shard, root: Uint8Array): Promise<void> => {
    keeper.settle(shard.shard, firstEpoch)
    const own = await ownRoot(shard)
    // After a restart the root is on disk already, and a synced write is slow.
    if (own === undefined || !equalBytes(own, root)) await note(shard, root)
  }

  return {
    roster,
    all,
    firstEpoch,
    epochs,
    find: (shard) => all.find((item) => item.shard === shard),
    isHeld,
    drop,
    rootOf: async (seed) => (await toTree(seed)).root,
    async make(shard) {
      const isSpent = (await ownRoot(shard)) !== undefined
      if (isSpent || certified() !== undefined || isHeld(shard)) return false
      const seed = { epoch: firstEpoch, state: random(32), quotaKey: random(32) }
      const isMade = await claim(shard, seed, shard.rank)
      wipe(seed)
      return isMade
    },
    async take(shard, seed, maker) {
      const own = keeper.seed(shard.shard, firstEpoch)
      if (own !== undefined) {
        const isSame =
          own.epoch === seed.epoch && equalBytes(own.state, seed.state) && equalBytes(own.quotaKey, seed.quotaKey)
        wipe(own)
        const isWeaker = !shard.isBound && shard.maker !== undefined && maker < shard.maker
        if (isSame || certified() !== undefined || !isWeaker) return isSame
        drop(shard)
      }
      return seed.epoch === firstEpoch && (await claim(shard, seed, maker))
    },
    async takeLate(shard, seed, tree) {
      if (isHeld(shard)) return false
      keeper.hold(shard.shard, firstEpoch, epochs, seed)
      if (!isHeld(shard)) return false
      shard.tree = tree
      shard.isLost = false
      await confirm(shard, tree.root)
      return true
    },
    async sign(shard) {
      const { tree } = shard
      if (tree === undefined || shard.signed !== undefined) return
      // Set this before the first await, because from here on no other seed may replace this one.
      shard.isBound = true
      const root = await ownRoot(shard)
      if (root !== undefined && !equalBytes(root, tree.root)) return
      if (root === undefined) await note(shard, tree.root)
      if (shard.tree !== tree) return
      const content = sheetContent({ ...roster, shard: shard.shard, epochs, root: tree.root })
      shard.signed = { shard: shard.shard, root: tree.root, signature: signContent(signer, 'geotrace/sheet', content) }
    },
    async settle() {
      const sheets = certified()?.roster.sheets
      if (sheets === undefined) return
      for (const shard of all) {
        if (shard.tree === undefined) continue
        if (!equalBytes(shard.tree.root, sheets[shard.shard]!)) drop(shard)
        else await confirm(shard, shard.tree.root)
      }
    },
  }
}

export function wipe({ state, quotaKey }: Seed): void {
  state.fill(0)
  quotaKey.fill(0)
}

function toShard(roster: Roster, shard: number, key: Uint8Array): Shard {
  const replicas = shardToReplicas(roster, shard)
  const isSelf = (item: { key: Uint8Array }): boolean => equalBytes(item.key, key)
  return {
    shard,
    rank: replicas.findIndex(isSelf),
    otherReplicas: replicas
      .map(({ key: other, addresses }, rank) => ({ key: other, addresses, rank }))
      .filter((item) => !isSelf(item)),
    maker: undefined,
    tree: undefined,
    signed: undefined,
    isBound: false,
    isLost: false,
  }
}
