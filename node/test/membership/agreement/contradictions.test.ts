import {
  isProof,
  manifestToId,
  type SignedSheet,
  sheetContent,
  sheetEpochs,
  signContent,
} from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { mergeSheets } from '../../../src/membership/agreement/contradictions.ts'
import { founded, peerSigner } from '../chain.ts'

const { manifest, first } = founded({ shards: 3 })
const signer = peerSigner('ash')
const head = {
  federation: manifestToId(manifest),
  ...{ previous: first.hash, firstEpoch: first.roster.firstEpoch + 18, epochs: sheetEpochs(first.roster) },
}
const sheet = (shard: number, byte: number): SignedSheet => {
  const root = new Uint8Array(32).fill(byte)
  return { shard, root, signature: signContent(signer, 'geotrace/sheet', sheetContent({ ...head, shard, root })) }
}

it('sheets of other shards are added, and the same sheet again is nothing new', () => {
  const known = [sheet(0, 1)]
  expect(mergeSheets(signer.key, head, known, [sheet(1, 1)])).toEqual({
    ...{ sheets: [sheet(0, 1), sheet(1, 1)], hasNew: true, evidence: [] },
  })
  expect(mergeSheets(signer.key, head, known, known)).toEqual({ sheets: known, hasNew: false, evidence: [] })
})

it('a second root of a shard does not replace the first one and proves the contradiction, also within one message', () => {
  for (const known of [[sheet(0, 1)], []]) {
    const fresh = known.length === 0 ? [sheet(0, 1), sheet(0, 2), sheet(2, 3)] : [sheet(0, 2), sheet(2, 3)]
    const { sheets, hasNew, evidence } = mergeSheets(signer.key, head, known, fresh)
    expect(sheets).toEqual([sheet(0, 1), sheet(2, 3)])
    expect(hasNew).toBe(true)
    expect(evidence).toHaveLength(1)
    expect(isProof(evidence[0]!, () => undefined)).toBe(true)
  }
})
