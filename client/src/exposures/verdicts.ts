/**
 * The user's verdicts of exposures: confirmed, dismissed, archived. README "Exposures". A verdict is kept for each 5-minute
 * block, so that it stays with place and time when more marks arrive. A new block makes the exposure new again.
 */

import { decodeRecord, encodeRecord, FAMILIES, numberedKey } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'

export const VERDICTS = ['new', 'confirmed', 'dismissed', 'archived'] as const
export type Verdict = (typeof VERDICTS)[number]

/** The part of an exposure that a verdict concerns. */
interface Judged {
  readonly blocks: readonly number[]
}

export async function writeVerdict(storage: Storage, { blocks }: Judged, verdict: Verdict): Promise<void> {
  if (!VERDICTS.includes(verdict)) throw new TypeError(`"verdict" expected ${VERDICTS.join(', ')}, got ${verdict}`)
  await storage.batch(blocks.map((block) => put(numberedKey(FAMILIES.verdict, block), encodeRecord(verdict))))
}

/** An exposure has a verdict when all its blocks have the same one. A block that came later makes it `new`. */
export async function withVerdict<E extends Judged>(storage: Storage, exposure: E): Promise<E & { verdict: Verdict }> {
  const known = new Set<Verdict>()
  for (const block of exposure.blocks) {
    const key = numberedKey(FAMILIES.verdict, block)
    const bytes = await storage.get(key)
    known.add(bytes === undefined ? 'new' : decodeRecord<Verdict>(key, bytes))
  }
  const [verdict = 'new'] = known
  return { ...exposure, verdict: known.size === 1 ? verdict : 'new' }
}
