/**
 * Checks a seed that another replica has ratcheted already against the certified sheet. PROTOCOL.md §4.7, §5.2.
 * Such a seed cannot give the lines of earlier epochs. So the node asks the same replica for one salt, as a client would.
 * The answer's Merkle path replaces the missing lines, and the tree built on that path must have the certified root.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  answerToSalts,
  blockToState,
  type CertifiedRoster,
  decodeSaltAnswer,
  encodeSaltRequest,
  equalBytes,
  hashToRosterName,
  SALT_PROTOCOL,
  type Seed,
  sheetEpochs,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../net/protocol.ts'
import { type Hashes, ratchetTo } from './secrets/ratchet.ts'
import type { Replica } from './shards.ts'
import { seedToLines } from './sheets/sheet-maker.ts'
import { linesToSheetTree, type SheetTree } from './sheets/sheet-tree.ts'

/** A block of this size is a whole epoch and has the epoch's number. */
const WHOLE_EPOCH_MIN = 80

interface RecoveryInit {
  host: Host
  core: Hashes
  clock: Clock
  certified: CertifiedRoster
  shard: number
  seed: Seed
  replica: Replica
}

/**
 * The seed, wound to the first epoch that is still open, and its tree; undefined when the root is not the certified one.
 * Throws PEER_LIED, PEER_UNREACHABLE, PEER_TIMEOUT.
 */
export async function recoverTree(init: RecoveryInit): Promise<{ seed: Seed; tree: SheetTree } | undefined> {
  const { host, core, clock, certified, shard, seed, replica } = init
  const { roster, hash } = certified
  const end = roster.firstEpoch + sheetEpochs(roster)
  let epoch = Math.max(seed.epoch, roster.firstEpoch)
  while (blockToState(WHOLE_EPOCH_MIN, epoch, clock.now()) === 'too-old') epoch++
  if (epoch >= end) return undefined

  const blocks = [{ size: WHOLE_EPOCH_MIN, n: epoch }]
  const request = encodeSaltRequest({ roster: hashToRosterName(hash), shard, blocks })
  const bytes = await host.request(replica, SALT_PROTOCOL, request)
  // Throws PEER_LIED unless the path leads to the certified root.
  answerToSalts(bytes, certified, shard, blocks, replica.key)
  const path = decodeSaltAnswer(bytes).epochs[0]!.path

  const state = ratchetTo(core, seed.state, seed.epoch, epoch)
  const lines = await seedToLines(core, state, epoch, end - epoch)
  const tree = linesToSheetTree(core, lines, sheetEpochs(roster), epoch - roster.firstEpoch, path)
  if (!equalBytes(tree.root, roster.sheets[shard]!)) {
    state.fill(0)
    return undefined
  }
  return { seed: { epoch, state, quotaKey: seed.quotaKey }, tree }
}
