/**
 * `card.json` in a node's directory: the name, keys and addresses that the node sent to its founder or sponsors. The node
 * reads its addresses from the card until a roster names them. The card holds no secret. Throws COMMAND_INVALID.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MemberCard, parseCard } from '../../membership/new-manifest.ts'

const CARD = 'card.json'

export function writeCard(dir: string, card: MemberCard): void {
  writeFileSync(join(dir, CARD), `${JSON.stringify(card, null, 2)}\n`, { mode: 0o600 })
}

/** The card of the node; undefined when none was written yet. Throws COMMAND_INVALID. */
export function readCard(dir: string): MemberCard | undefined {
  const path = join(dir, CARD)
  return existsSync(path) ? parseCard(readFileSync(path, 'utf8'), path) : undefined
}
