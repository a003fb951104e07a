import {
  foundRoster,
  nextTestRoster,
  testManifest,
  testNonceCommitments,
  testReveals,
  testSigner,
  testTrees,
} from '@geotrace/core-wasm/testing'
import {
  type CertifiedRoster,
  type Change,
  encodeChange,
  equalBytes,
  type GossipSheets,
  manifestToRoster,
  newChange,
  type Roster,
  rosterToPredecessor,
  type SignedChange,
  shardToReplicas,
  signChange,
  VACANT_ROOT,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { composeRoster, isAgreeable, type Judging, sheetsToRoots } from '../../../src/membership/agreement/proposal.ts'
import { cast } from '../../salt/federation.ts'
import { randomRoots, signSheets } from '../founding.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
/** Five members, three shards, three replicas each: two make a majority. */
const manifest = testManifest({ shards: 3, replicas: 3, periodEpochs: 18, reserveEpochs: 3 })
const founding = foundRoster(manifest, testTrees(manifest))
const whole = nextTestRoster(founding)

/** The SHEETS messages of the first `count` signers of each of these shards of a roster. */
function sheetsOf({ roster, sheetSignatures }: CertifiedRoster, count: number, shards = [0, 1, 2]): GossipSheets[] {
  return roster.members.map(({ key }, member) => {
    const sheets = shards.flatMap((shard) => {
      const found = sheetSignatures[shard]!.slice(0, count).find(([index]) => index === member)
      return found === undefined ? [] : [{ shard, root: roster.sheets[shard]!, signature: found[1] }]
    })
    const { previous, firstEpoch } = roster
    return { kind: 'sheets', key, previous, firstEpoch, sheets }
  })
}
const due: Roster = rosterToPredecessor(founding).expect({ ...whole.roster, sheets: [] })
const NO_NONCES = { commitments: () => [], reveals: () => [] }
const PROPOSER = { voter: 0, committed: undefined }
const agrees = (proposal: CertifiedRoster, known: GossipSheets[], makeDo: boolean): boolean =>
  isAgreeable(
    proposal,
    { sheets: () => known, evidence: () => [], nonces: NO_NONCES },
    { makeDo, heldBefore: 0, proposer: PROPOSER },
  )

describe('the sheets of a proposal', () => {
  it('a proposal has sheets once a majority signed each shard, and they are the same whichever replicas signed', async () => {
    const players = await cast(5, NOW)
    const [sheets, roster] = [randomRoots(), manifestToRoster(players.manifest)]
    const messages = signSheets(players, sheets)
    const fill = (order: GossipSheets[]): Uint8Array[] => {
      for (let count = 0; count <= order.length; count++) {
        const known = order.slice(0, count)
        const found = sheetsToRoots(roster, known)
        const isEnough = sheets.every((_, shard) => signersOf(known, shard) >= 2)
        expect(found !== undefined).toBe(isEnough)
        if (found !== undefined) return found.sheets
      }
      throw new Error('no sheets')
    }
    const signersOf = (known: GossipSheets[], shard: number): number =>
      known.filter((item) => item.sheets.some((sheet) => sheet.shard === shard)).length
    expect(fill(messages)).toEqual(sheets)
    expect(fill([...messages].reverse())).toEqual(sheets)
  })

  it('a sheet counts no signature of a member that does not replicate the shard, and none of another root', async () => {
    const players = await cast(5, NOW, { shards: 1 })
    const roster = manifestToRoster(players.manifest)
    const [good] = randomRoots(1)
    const messages = signSheets(players, [good!])
    const others = signSheets(players, randomRoots(1))
    const replicas = messages.flatMap(({ sheets }, i) => (sheets.length > 0 ? [i] : []))
    const [first, second, third] = replicas as [number, number, number]
    const stranger = messages.findIndex(({ sheets }) => sheets.length === 0)
    const foreign = { ...messages[stranger]!, sheets: messages[first]!.sheets }
    expect(replicas).toHaveLength(3)
    expect(sheetsToRoots(roster, [foreign, messages[first]!, others[second]!])).toBeUndefined()
    const found = sheetsToRoots(roster, [foreign, messages[first]!, others[second]!, messages[third]!])!
    expect(found.sheets).toEqual([good])
    expect(found.sheetSignatures[0]!.map(([member]) => member).sort()).toEqual([first, third].sort())
  })
})

describe('sheets in the last quarter of the effort', () => {
  it('a proposer that makes do takes the same roots and signatures where a majority signed every sheet', () => {
    expect(sheetsToRoots(due, sheetsOf(whole, 2), { makeDo: true })).toEqual(sheetsToRoots(due, sheetsOf(whole, 2)))
  })

  it('a proposer that makes do takes a root that fewer than a majority signed, and leaves a shard without signatures vacant', () => {
    const known = sheetsOf(whole, 1, [0, 1])
    expect(sheetsToRoots(due, known)).toBeUndefined()
    const { sheets, sheetSignatures } = sheetsToRoots(due, known, { makeDo: true })!
    expect(sheets).toEqual([whole.roster.sheets[0], whole.roster.sheets[1], VACANT_ROOT])
    expect(sheetSignatures.map((item) => item.length)).toEqual([1, 1, 0])
  })

  it('a proposer that makes do leaves a shard vacant when fewer replicas signed it than must answer together', () => {
    const shared = { ...due, threshold: 2 }
    const roots = (signers: number) => sheetsToRoots(shared, sheetsOf(whole, signers), { makeDo: true })!
    expect(roots(1).sheets).toEqual([VACANT_ROOT, VACANT_ROOT, VACANT_ROOT])
    expect(roots(1).sheetSignatures.map((item) => item.length)).toEqual([0, 0, 0])
    expect(roots(2).sheets).toEqual(whole.roster.sheets)
  })

  it('a proposer that makes do takes the root with the most signatures, of equals the lowest, in any order of messages', () => {
    const all = nextTestRoster(founding, { sheetSigners: 3 })
    const trees = testTrees(manifest).map((tree) => tree.slice().reverse())
    const other = nextTestRoster(founding, { trees, sheetSigners: 3 })
    const [a, b] = [sheetsOf(all, 3), sheetsOf(other, 3)]
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

describe('the vote for a proposal', () => {
  it('an operator accepts sheets that a majority signed at any time, whatever sheets it knows itself', () => {
    for (const makeDo of [false, true]) {
      expect(agrees(whole, [], makeDo)).toBe(true)
      expect(agrees(nextTestRoster(founding, { sheetSigners: 2 }), sheetsOf(whole, 3), makeDo)).toBe(true)
    }
  })

  it('an operator accepts fewer signatures than a majority only when it makes do', () => {
    const few = nextTestRoster(founding, { sheetSigners: 1 })
    expect(agrees(few, sheetsOf(whole, 1), false)).toBe(false)
    expect(agrees(few, sheetsOf(whole, 1), true)).toBe(true)
    expect(agrees(few, [], true)).toBe(true)
  })

  it('an operator counts signatures that it knows itself, although the proposal came without them', () => {
    const stripped = { ...whole, sheetSignatures: whole.sheetSignatures.map((item) => item.slice(0, 1)) }
    expect(agrees(stripped, sheetsOf(whole, 2), false)).toBe(true)
    expect(agrees(stripped, sheetsOf(whole, 1), false)).toBe(false)
  })

  it('an operator accepts no vacant shard of which it knows a sheet, and no minority root where it knows a majority root', () => {
    const vacant = nextTestRoster(founding, { vacant: [2] })
    expect(agrees(vacant, sheetsOf(whole, 3, [0, 1]), false)).toBe(false)
    expect(agrees(vacant, sheetsOf(whole, 3, [0, 1]), true)).toBe(true)
    expect(agrees(vacant, sheetsOf(whole, 1), true)).toBe(false)
    const lone = nextTestRoster(founding, {
      trees: testTrees(manifest).map((tree) => tree.slice().reverse()),
      sheetSigners: 1,
    })
    expect(agrees(lone, sheetsOf(whole, 2), true)).toBe(false)
    expect(agrees(lone, sheetsOf(whole, 1), true)).toBe(true)
  })
})

describe('the nonces of a proposal', () => {
  const join: Change = {
    ...{ kind: 'join', until: 0xffffffff, operator: 'gum', addresses: ['/ip4/127.0.0.1/tcp/9'] },
    ...{ operatorKey: testSigner('operator/gum').key, key: testSigner('peer/gum').key },
  }
  const sponsors = ['ash', 'birch', 'cedar'].map((name) => `operator/${name}`)
  const change = [...sponsors, 'operator/gum', 'peer/gum']
    .map(testSigner)
    .reduce(signChange, newChange(founding.roster.federation, join))
  const changes = [encodeChange(change)]
  const commitments = testNonceCommitments(founding)
  const admitting = nextTestRoster(founding, { changes, commitments })
  const reveals = testReveals(admitting)
  const without = <T>(list: readonly (T | null)[], ...left: number[]) =>
    list.map((item, i) => (left.includes(i) ? null : item))

  type Held = Partial<Pick<Roster, 'commitments' | 'reveals'>>
  /** Whether an operator votes for the proposal when it held `before` before the effort, and `later` since. */
  const votes = (
    proposal: CertifiedRoster,
    before: Held,
    later: Held = {},
    proposer = PROPOSER as Judging['proposer'],
  ) =>
    isAgreeable(
      proposal,
      {
        ...{ sheets: () => [], evidence: () => [] },
        nonces: {
          commitments: (beforeMs) => (beforeMs === 1 ? before : later).commitments ?? [],
          reveals: (beforeMs) => (beforeMs === 1 ? before : later).reveals ?? [],
        },
      },
      { makeDo: false, heldBefore: 1, proposer },
    )
  const ranking = (list: Roster['reveals']) => nextTestRoster(admitting, { reveals: list })
  const admission = (list: Roster['commitments']) => nextTestRoster(founding, { changes, commitments: list })
  const NONE = reveals.map(() => null)

  it('an operator refuses a proposal that leaves out a nonce which it held before the effort', () => {
    expect(votes(ranking(reveals), { reveals })).toBe(true)
    for (const left of [1, 2, 3, 4, 5]) {
      expect(votes(ranking(without(reveals, left)), { reveals }), `${left}`).toBe(false)
      // The operator does not demand a nonce that it does not hold, or that came during the effort.
      expect(votes(ranking(without(reveals, left)), { reveals: without(reveals, left) })).toBe(true)
      expect(votes(ranking(without(reveals, left)), { reveals: without(reveals, left) }, { reveals })).toBe(true)
      expect(votes(ranking(reveals), { reveals: without(reveals, left) })).toBe(true)
    }
    expect(votes(ranking(reveals), { reveals: NONE })).toBe(true)
    expect(votes(ranking(without(reveals, 1)), { reveals: NONE }, { reveals })).toBe(true)
  })

  it('an operator refuses a proposal without nonces exactly when it held those of a quorum before the effort', () => {
    expect(votes(ranking([]), { reveals })).toBe(false)
    expect(votes(ranking([]), { reveals: without(reveals, 0) })).toBe(false)
    expect(votes(ranking([]), { reveals: without(reveals, 0, 1) })).toBe(true)
    expect(votes(ranking([]), { reveals: NONE }, { reveals })).toBe(true)
  })

  it('an operator refuses a proposal of somebody who leaves out its own nonce or commitment', () => {
    const [early, late] = [{ reveals: NONE }, { reveals }]
    expect(votes(ranking(without(reveals, 4)), early, late, { voter: 4, committed: 4 })).toBe(false)
    expect(votes(ranking(without(reveals, 4)), early, late, { voter: 4, committed: 3 })).toBe(true)
    // A proposer that committed to nothing, or that changed its key since, has no nonce to list.
    expect(votes(ranking(without(reveals, 4)), early, late, { voter: 4, committed: undefined })).toBe(true)
    expect(votes(ranking([]), early, late, { voter: 4, committed: 4 })).toBe(true)
    const silent = admission(without(commitments, 4))
    expect(votes(silent, {}, { commitments }, { voter: 4, committed: undefined })).toBe(false)
    expect(votes(silent, {}, { commitments }, { voter: 3, committed: undefined })).toBe(true)
  })

  it('an operator refuses an admission that leaves out a commitment which it held before the effort', () => {
    expect(votes(admission(commitments), { commitments })).toBe(true)
    expect(votes(admission(without(commitments, 2)), { commitments })).toBe(false)
    expect(votes(admission(without(commitments, 2)), { commitments: without(commitments, 2) })).toBe(true)
    expect(votes(admission([]), { commitments: without(commitments, 2) })).toBe(false)
    expect(votes(admission([]), { commitments: without(commitments, 2, 3) })).toBe(true)
    // A roster that admits nobody lists no commitments.
    expect(votes(whole, { commitments })).toBe(true)
  })

  it('a proposer lists every nonce and commitment that it knows, once they are those of a quorum', () => {
    const compose = (previous: CertifiedRoster, known: Held, pending: SignedChange[] = []) =>
      composeRoster(previous, previous.roster.firstEpoch + 18, whole.roster.sheets, {
        ...{ changes: () => pending, evidence: () => [] },
        nonces: { commitments: () => known.commitments ?? [], reveals: () => known.reveals ?? [] },
      })
    const next = (known: Held, pending: SignedChange[] = [change]) => compose(whole, known, pending)
    const given = testNonceCommitments(whole)
    expect(next({ commitments: given }).commitments).toEqual(given)
    expect(next({ commitments: without(given, 5) }).commitments).toEqual(without(given, 5))
    expect(next({ commitments: without(given, 5, 0) })).toMatchObject({ commitments: [], admitted: [{}] })
    expect(next({ commitments: given }, []).commitments).toEqual([])
    expect(compose(admitting, { reveals }).reveals).toEqual(reveals)
    expect(compose(admitting, { reveals: without(reveals, 1) }).reveals).toEqual(without(reveals, 1))
    expect(compose(admitting, { reveals: without(reveals, 1, 2) })).toMatchObject({ reveals: [], admitted: [{}] })
  })
})
