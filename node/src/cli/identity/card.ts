/**
 * `card.json` in a node's directory: what it told its founder or sponsors of itself, so that it says the same later and
 * knows its addresses before a roster names them. It holds no secret.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type MemberCard, parseCard } from '../../membership/new-manifest.ts'

const CARD = 'card.json'

export function writeCard(dir: string, card: MemberCard): void {
  writeFileSync(join(dir, CARD), `${JSON.stringify(card, null, 2)}\n`, { mode: 0o600 })
}

/** Undefined when none was written yet. Throws COMMAND_INVALID. */
export function readCard(dir: string): MemberCard | undefined {
  const path = join(dir, CARD)
  return existsSync(path) ? parseCard(readFileSync(path, 'utf8'), path) : undefined
}
