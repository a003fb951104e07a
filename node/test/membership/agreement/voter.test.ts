import {
  isValidCommitment,
  isValidProposal,
  isValidVote,
  manifestToPredecessor,
  nonceToCommitment,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { createVoter } from '../../../src/membership/agreement/voter.ts'
import { fileRecords } from '../../../src/platform/file-records.ts'
import { nativeSigner } from '../../../src/platform/native-signer.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { errorCode } from '../../error-code.ts'
import { cast, Stage } from '../../salt/federation.ts'
import { proposeFounding, randomRoots, toBallot } from '../founding.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

const voterOf = async (secret: Uint8Array, dir: string) =>
  createVoter(nativeSigner(secret), secret, await fileRecords(dir))

async function setting(voter = 0) {
  const players = await cast(5, NOW)
  const before = manifestToPredecessor(players.manifest)
  const [one, two] = [randomRoots(), randomRoots()].map((roots) => toBallot(proposeFounding(players, roots)))
  return { before, one: one!, two: two!, secret: players.operatorSecrets[voter]!, dir: await stage.dir() }
}

describe('a voter', () => {
  it('an operator gives one vote for a period, the same vote again after a restart, and none to another roster', async () => {
    const { before, one, two, secret, dir } = await setting()
    const voter = await voterOf(secret, dir)
    const [vote, again, refused] = await Promise.all([
      voter.vote(before, one),
      voter.vote(before, one),
      errorCode(voter.vote(before, two)),
    ])
    expect(isValidVote(one, voter.signer.key, vote)).toBe(true)
    expect(isValidVote(two, voter.signer.key, vote)).toBe(false)
    expect(again).toEqual(vote)
    expect(refused).toBe('FORBIDDEN')
    const restarted = await voterOf(secret, dir)
    expect(await errorCode(restarted.vote(before, two))).toBe('FORBIDDEN')
    // The period counts, not the height of the roster.
    expect(await errorCode(restarted.vote(before, { ...two, height: 1 }))).toBe('FORBIDDEN')
    expect(await restarted.vote(before, one)).toEqual(vote)
    expect(await errorCode(restarted.vote(before, { ...two, firstEpoch: two.firstEpoch + 18 }))).toBe('OK')
  })

  it('an operator commits to one nonce for each roster before, also after a restart, and opens only that one', async () => {
    const { one, two, secret, dir } = await setting()
    const voter = await voterOf(secret, dir)
    const given = voter.commit(one.federation, one.hash)
    expect(isValidCommitment(given, one.federation, one.hash, voter.signer.key)).toBe(true)
    const restarted = await voterOf(secret, dir)
    expect(restarted.commit(one.federation, one.hash)).toEqual(given)
    expect(restarted.commit(one.federation, two.hash).commitment).not.toEqual(given.commitment)
    const other = (await voterOf(systemRandom(32), dir)).commit(one.federation, one.hash)
    const opened = restarted.open({ previous: one.hash, commitments: [null, other, given] })!
    expect(opened.operator).toBe(2)
    expect(nonceToCommitment(opened.nonce)).toEqual(given.commitment)
    expect(restarted.open({ previous: one.hash, commitments: [null, other] })).toBeUndefined()
    expect(restarted.open({ previous: two.hash, commitments: [given] })).toBeUndefined()
    expect(restarted.open({ previous: one.hash, commitments: [] })).toBeUndefined()
  })

  it('an operator proposes one hash for a period, the same hash again after a restart, and no other', async () => {
    const { before, one, two, secret, dir } = await setting()
    const voter = await voterOf(secret, dir)
    const holder = systemRandom(32)
    const proposal = (await voter.propose(before, one, holder))!
    expect(isValidProposal(one.federation, proposal, voter.signer.key)).toBe(true)
    expect(proposal).toMatchObject({ hash: one.hash, firstEpoch: one.firstEpoch, operator: 0, holder })
    expect(await voter.propose(before, two, holder)).toBeUndefined()
    const restarted = await voterOf(secret, dir)
    expect(await restarted.propose(before, two, holder)).toBeUndefined()
    expect(await restarted.propose(before, one, holder)).toEqual(proposal)
    // A proposal binds no vote, and a proposal for another period is free.
    expect(await errorCode(restarted.vote(before, two))).toBe('OK')
    expect(await restarted.propose(before, { ...two, firstEpoch: two.firstEpoch + 18 }, holder)).toBeDefined()
  })

  it('an operator that the roster before does not list has no vote and no proposal', async () => {
    const { before, one, dir } = await setting()
    const voter = await voterOf(systemRandom(32), dir)
    expect(voter.operator(before)).toBeUndefined()
    expect(await errorCode(voter.vote(before, one))).toBe('FORBIDDEN')
    expect(await voter.propose(before, one, systemRandom(32))).toBeUndefined()
  })
})
