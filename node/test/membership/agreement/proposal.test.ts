import { foundRoster, nextTestRoster, testManifest, testTrees } from '@geotrace/core-wasm/testing'
import {
  type CertifiedRoster,
  equalBytes,
  type GossipSheets,
  type Roster,
  rosterToPredecessor,
  shardToReplicas,
  VACANT_ROOT,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { isAgreeable, sheetsToRoots } from '../../../src/membership/agreement/proposal.ts'

/** Five members, three shards, three replicas each: two make a majority. */
const manifest = testManifest({ shards: 3, replicas: 3, periodEpochs: 18, reserveEpochs: 3 })
const founding = foundRoster(manifest, testTrees(manifest))
const whole = nextTestRoster(founding)

/** What the members said who signed a roster: those of `shards` alone, and of each the first `count` signers. */
function told({ roster, sheetSignatures }: CertifiedRoster, count: number, shards = [0, 1, 2]): GossipSheets[] {
  return roster.members.map(({ key }, member) => {
    const sheets = shards.flatMap((shard) => {
      const found = sheetSignatures[shard]!.slice(0, count).find(([index]) => index === member)
      return found === undefined ? [] : [{ shard, root: roster.sheets[shard]!, signature: found[1] }]
    })
    return { kind: 'sheets', key, firstEpoch: roster.firstEpoch, sheets }
  })
}
const due: Roster = rosterToPredecessor(founding).expect({ ...whole.roster, sheets: [] })
const knowing = (sheets: GossipSheets[]) => ({ sheets: () => sheets, evidence: () => [] })
const agrees = (proposal: CertifiedRoster, known: GossipSheets[], makeDo: boolean): boolean =>
  isAgreeable(proposal, knowing(known), { makeDo })

describe('sheets when time is short', () => {
  it('are the same as before where a majority signed', () => {
    expect(sheetsToRoots(due, told(whole, 2), { makeDo: true })).toEqual(sheetsToRoots(due, told(whole, 2)))
  })

  it('are those that fewer signed, and none where nobody did', () => {
    const known = told(whole, 1, [0, 1])
    expect(sheetsToRoots(due, known)).toBeUndefined()
    const { sheets, sheetSignatures } = sheetsToRoots(due, known, { makeDo: true })!
    expect(sheets).toEqual([whole.roster.sheets[0], whole.roster.sheets[1], VACANT_ROOT])
    expect(sheetSignatures.map((item) => item.length)).toEqual([1, 1, 0])
  })

  it('are those that most signed, and of equals the lowest, whatever was heard first', () => {
    const all = nextTestRoster(founding, { sheetSigners: 3 })
    const trees = testTrees(manifest).map((tree) => tree.slice().reverse())
    const other = nextTestRoster(founding, { trees, sheetSigners: 3 })
    const [a, b] = [told(all, 3), told(other, 3)]
    expect(equalBytes(whole.roster.sheets[0]!, other.roster.sheets[0]!)).toBe(false)
    const replicas = shardToReplicas(due, 0).map(({ key }) =>
      due.members.findIndex((item) => equalBytes(item.key, key)),
    )
    const [first, second, third] = replicas as [number, number, number]
    const root = (known: GossipSheets[]): Uint8Array => sheetsToRoots(due, known, { makeDo: true })!.sheets[0]!
    expect(root([b[first]!, a[second]!, b[third]!])).toEqual(other.roster.sheets[0])
    const lowest = [whole, other].map(({ roster }) => roster.sheets[0]!).sort((x, y) => Buffer.compare(x, y))[0]
    expect(root([a[first]!, b[second]!])).toEqual(lowest)
    expect(root([b[second]!, a[first]!])).toEqual(lowest)
  })
})

describe('an operator', () => {
  it('agrees to a majority under each sheet at any time, whatever it has heard itself', () => {
    for (const makeDo of [false, true]) {
      expect(agrees(whole, [], makeDo)).toBe(true)
      expect(agrees(nextTestRoster(founding, { sheetSigners: 2 }), told(whole, 3), makeDo)).toBe(true)
    }
  })

  it('agrees to fewer only when time is short', () => {
    const few = nextTestRoster(founding, { sheetSigners: 1 })
    expect(agrees(few, told(whole, 1), false)).toBe(false)
    expect(agrees(few, told(whole, 1), true)).toBe(true)
    expect(agrees(few, [], true)).toBe(true)
  })

  it('counts the signatures that it knows beside those that came along', () => {
    const stripped = { ...whole, sheetSignatures: whole.sheetSignatures.map((item) => item.slice(0, 1)) }
    expect(agrees(stripped, told(whole, 2), false)).toBe(true)
    expect(agrees(stripped, told(whole, 1), false)).toBe(false)
  })

  it('leaves no shard vacant for which it knows a sheet, and takes no lone root where another has a majority', () => {
    const vacant = nextTestRoster(founding, { vacant: [2] })
    expect(agrees(vacant, told(whole, 3, [0, 1]), false)).toBe(false)
    expect(agrees(vacant, told(whole, 3, [0, 1]), true)).toBe(true)
    expect(agrees(vacant, told(whole, 1), true)).toBe(false)
    const lone = nextTestRoster(founding, {
      trees: testTrees(manifest).map((tree) => tree.slice().reverse()),
      sheetSigners: 1,
    })
    expect(agrees(lone, told(whole, 2), true)).toBe(false)
    expect(agrees(lone, told(whole, 1), true)).toBe(true)
  })
})
