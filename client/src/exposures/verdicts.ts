/**
 * What the user says about exposures: "I was not there", "yes", "put it away". Kept for each 5-minute block, so that it
 * stays with the place and the time when more marks arrive, and what is new shows again. README "Exposures".
 */

import { decodeRecord, encodeRecord, FAMILIES, numberedKey } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'

export const VERDICTS = ['new', 'confirmed', 'dismissed', 'archived'] as const
export type Verdict = (typeof VERDICTS)[number]

/** An exposure, as far as a verdict concerns it. */
interface Judged {
  readonly blocks: readonly number[]
}

export async function writeVerdict(storage: Storage, { blocks }: Judged, verdict: Verdict): Promise<void> {
  if (!VERDICTS.includes(verdict)) throw new TypeError(`"verdict" expected ${VERDICTS.join(', ')}, got ${verdict}`)
  await storage.batch(blocks.map((block) => put(numberedKey(FAMILIES.verdict, block), encodeRecord(verdict))))
}

/** Every block must have been judged, and alike; one that came later makes the exposure new. */
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
