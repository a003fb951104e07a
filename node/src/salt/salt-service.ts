/**
 * Answers /geotrace/salt/1. PROTOCOL.md §5.5, §5.6, §7.1. Throws, in this order: decoding errors, CLOCK_SKEWED,
 * FORBIDDEN (no address, so no quota), NOT_ALLOWED, ROSTER_UNKNOWN, WRONG_SHARD, BLOCK_TOO_OLD, BLOCK_TOO_NEW, EPOCH_LOST,
 * QUOTA_SPENT. EPOCH_LOST comes before the quota is charged, because the quota key is lost together with the secrets. No salt
 * is hashed before the quota is charged, so a refused request costs no hash.
 */
import { createHash } from 'node:crypto'
import {
  type AnswerEpoch,
  answerContent,
  BLOCKS_PER_EPOCH,
  blocksToMasks,
  concatBytes,
  decodeSaltRequest,
  encodeUnsignedAnswer,
  SECRET_BYTES,
  signContent,
} from '@geotrace/core-wasm/wire'
import type { Handler } from '../net/protocol.ts'
import type { SaltQuestion } from './quota/quota.ts'
import type { QuotaTable } from './quota/quota-table.ts'
import { assertServed, findRequested, placeToQuotaKey, type ServiceInit } from './requested.ts'
import { leafToSalts, saltsToCommitments } from './secrets/plain-salts.ts'
import type { Hashes } from './secrets/ratchet.ts'
import type { Grip } from './secrets/seed-keeper.ts'
import type { SheetTree } from './sheets/sheet-tree.ts'

/** Under `plain` all replicas share one seed. */
const ONLY_PART = 0

interface SaltServiceInit extends ServiceInit {
  core: Hashes
  quota: Pick<QuotaTable<SaltQuestion>, 'charge'>
}

export function saltService(init: SaltServiceInit): Handler {
  const { core, clock, signer, keeper, quota } = init

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

  return async (bytes, from) => {
    const request = decodeSaltRequest(bytes)
    const nowMs = clock.now()
    const requester = assertServed(init, from)
    const masks = blocksToMasks(request.blocks)
    const asked = [...masks.keys()]
    const { certified, tree } = findRequested(init, request, request.blocks, asked, nowMs)
    const { firstEpoch } = certified.roster
    const { shard } = request
    const place = { shard, firstEpoch, part: ONLY_PART }
    const grip = keeper.grip([place], asked, nowMs)
    try {
      const quotaKey = placeToQuotaKey(keeper, place)
      const digest = new Uint8Array(createHash('sha256').update(bytes).digest())
      await quota.charge({ ...requester, quotaKey, shard, masks, digest }, nowMs)
      const epochs = [...masks].map(([epoch, mask]) => epochToAnswer(grip, tree, firstEpoch, epoch, mask))
      const unsigned = encodeUnsignedAnswer({ time: nowMs, roster: request.roster, shard, epochs })
      return concatBytes(unsigned, signContent(signer, 'geotrace/salt-answer', answerContent(bytes, unsigned)))
    } finally {
      grip.end()
    }
  }
}

function row(bytes: Uint8Array, i: number): Uint8Array {
  return bytes.subarray(i * SECRET_BYTES, (i + 1) * SECRET_BYTES)
}
