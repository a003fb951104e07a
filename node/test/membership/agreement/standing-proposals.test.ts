import { equalBytes, type Proposal, type Roster, rosterToPredecessor } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { proposerTurn } from '../../../src/membership/agreement/proposer-order.ts'
import { standingProposals } from '../../../src/membership/agreement/standing-proposals.ts'
import { founded } from '../chain.ts'

const { first } = founded({ shards: 2 })
const predecessor = rosterToPredecessor(first)
const firstEpoch = first.roster.firstEpoch + 18
const { operators } = predecessor
const all = operators.map((_, operator) => ({ operator }) as Proposal)
const stand = (newest: Roster, isConvicted = (_key: Uint8Array) => false) =>
  standingProposals(all, { predecessor, firstEpoch }, newest, isConvicted).map(({ operator }) => operator)

it('proposals stand in the order of their proposers', () => {
  const turns = stand(first.roster).map((operator) => proposerTurn(predecessor, firstEpoch, operator))
  expect(turns).toEqual([...operators.keys()])
})

it('no proposal of a convicted operator, and none of an operator that is gone, stands', () => {
  const isSecond = (key: Uint8Array) => equalBytes(key, operators[1]!.key)
  expect(stand(first.roster, isSecond)).not.toContain(1)
  const gone = { ...first.roster, gone: [operators[2]!.key] }
  const left = stand(gone)
  expect(left).not.toContain(2)
  expect(left).toHaveLength(operators.length - 1)
})
