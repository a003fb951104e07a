/**
 * `card.json` in a node's directory: the name, keys and addresses that the node sent to its founder or sponsors. The node
 * reads its addresses from the card until a roster names them. The card holds no secret. Throws COMMAND_INVALID.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isValidPeerId } from '@geotrace/core-wasm/wire'
import { type MemberCard, parseCard } from '../../membership/new-manifest.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { readSmallFile } from '../terminal/small-file.ts'
import { readAddresses } from './address-check.ts'
import { assertOperatorName } from './operator-name.ts'

export const CARD = 'card.json'
/** A card has a name, two keys and at most eight addresses. */
const CARD_MAX_BYTES = 16_384

export async function writeCard(dir: string, card: MemberCard): Promise<void> {
  await replaceFile(join(dir, CARD), `${JSON.stringify(card, null, 2)}\n`)
}

/** The card of the node; undefined when none was written yet. Throws COMMAND_INVALID. */
export function readCard(dir: string): MemberCard | undefined {
  const path = join(dir, CARD)
  return existsSync(path) ? readCardFile(path) : undefined
}

/** The card in a file that somebody sent. Its name and addresses are checked. Throws COMMAND_INVALID. */
export function readCardFile(path: string): MemberCard {
  const next = 'name a file that `geotrace salt init` or `geotrace central init` printed'
  const text = readSmallFile(path, { what: 'card', maxBytes: CARD_MAX_BYTES, next }).toString('utf8')
  const { operator, operatorKey, peerId, addresses, commitment, seal } = parseCard(text, path)
  const where = `the card ${path}`
  assertOperatorName(operator, where)
  if (
    ![operatorKey, commitment, ...(seal === undefined ? [] : [seal])].every((item) => /^[0-9a-f]{64}$/.test(item)) ||
    !isValidPeerId(peerId)
  )
    invalidCommand(
      `${where} expected an operator key, a commitment and a seal key of 64 hex digits and a peer id, got other text`,
      next,
    )
  const card = { operator, operatorKey, peerId, addresses: readAddresses(addresses, { where, peerId }), commitment }
  return seal === undefined ? card : { ...card, seal }
}
