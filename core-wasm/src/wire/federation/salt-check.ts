/**
 * Checks a salt node's answer against the sheet in the roster. PROTOCOL.md §5.4. Every client checks every answer. One
 * wrong bit anywhere spoils the whole answer (PEER_LIED).
 */
import { equalBytes } from '../encoding/bytes.ts'
import { isValidPath } from '../encoding/merkle.ts'
import { keyToPeerId } from '../encoding/peer-id.ts'
import { isValidSignature } from '../encoding/signature.ts'
import { FederationError } from '../errors.ts'
import { answerContent, type Block, blocksToMasks, decodeSaltAnswer, encodeSaltRequest } from '../messages/salt.ts'
import { entriesToLine } from '../messages/sheet.ts'
import { blockToEpoch, blockToPosition } from '../window.ts'
import type { CertifiedRoster } from './roster.ts'
import { hashToRosterName } from './roster.ts'
import { sheetEpochs } from './roster-rules.ts'

interface CheckedSalts {
  /** The node's clock, Unix ms. */
  time: number
  /** In the order of `blocks`, 32 bytes each. */
  salts: Uint8Array[]
}

/**
 * The salts of `blocks` from the answer of the member with `key`. Throws the node's refusal by its code,
 * MESSAGE_MALFORMED, or PEER_LIED when signature, request, line or path do not fit.
 */
export function answerToSalts(
  bytes: Uint8Array,
  certified: CertifiedRoster,
  shard: number,
  blocks: readonly Block[],
  key: Uint8Array,
): CheckedSalts {
  const answer = decodeSaltAnswer(bytes)
  const roster = hashToRosterName(certified.hash)
  const request = encodeSaltRequest({ roster, shard, blocks: [...blocks] })
  const lied = (what: string): never => {
    throw new FederationError('PEER_LIED', `the salt node signed a false answer: ${what}; ask another replica`, {
      peer: keyToPeerId(key),
    })
  }
  if (!isValidSignature(key, 'geotrace/salt-answer', answerContent(request, answer.unsigned), answer.signature)) {
    lied('its signature fails')
  }
  if (!equalBytes(answer.roster, roster) || answer.shard !== shard)
    lied(`expected shard ${shard} of the requested roster, got shard ${answer.shard}`)
  const masks = blocksToMasks(blocks)
  if (answer.epochs.length !== masks.size) lied(`expected ${masks.size} epochs, got ${answer.epochs.length}`)
  const root = certified.roster.sheets[shard] ?? lied(`the roster has no sheet for shard ${shard}`)
  const lines = sheetEpochs(certified.roster)
  for (const { epoch, mask, entries, path } of answer.epochs) {
    if (masks.get(epoch) !== mask) lied(`expected the requested blocks of epoch ${epoch}, got others`)
    const line = entriesToLine(epoch, mask, entries)
    if (!isValidPath(line, epoch - certified.roster.firstEpoch, lines, path, root))
      lied(`the sheet does not hold its salts of epoch ${epoch}`)
  }
  const byEpoch = new Map(answer.epochs.map((item) => [item.epoch, item]))
  return {
    time: answer.time,
    salts: blocks.map(({ size, n }) => byEpoch.get(blockToEpoch(size, n))!.entries[blockToPosition(size, n)]!),
  }
}
