import {
  bodyToCertified,
  encodeChange,
  encodeRoster,
  equalBytes,
  isGone,
  newChange,
  type SignedChange,
  signChange,
  signProposal,
  signVote,
  succeed,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { sheetsToRoots } from '../../../src/membership/agreement/proposal.ts'
import { proposerTurn } from '../../../src/membership/agreement/proposer-order.ts'
import { NAMES, operatorSigner, peerSigner } from '../chain.ts'
import { councilWorld, haveSame, hex, type Seat, type World } from './council-world.ts'

let world: World | undefined
afterEach(() => world?.stop())

describe('the agreement on a roster with one operator that lies', () => {
  for (const [bad, name] of NAMES.entries()) {
    it(`five honest operators certify the roster although ${name} votes for it under a later period`, async () => {
      world = await councilWorld([name])
      const { seats, clock, manifest } = world
      const honest = seats.filter((seat) => seat.name !== name)
      let given = 0
      // The bad vote arrives with the first honest vote.
      for (const seat of honest) {
        seat.pool.onNews((kind) => {
          const [vote] = seat.pool.votes(1)
          if (kind !== 'vote' || given > 0 || vote === undefined) return
          given++
          const ballot = { height: 1, firstEpoch: vote.firstEpoch + manifest.parameters.periodEpochs, hash: vote.hash }
          const { federation } = world!.first.roster
          const signed = signVote(operatorSigner(name), bad, { federation, ...ballot })
          clock.setTimer(() => world!.deliver({ kind: 'vote', ...ballot, ...signed }, honest), 0)
        })
      }
      await world.livePeriod()
      expect(given).toBe(1)
      expect(haveSame(honest, 1)).toBe(true)
      expect(honest[0]!.rosters.newest!.votes.map(({ operator }) => operator)).toEqual(
        [...NAMES.keys()].filter((operator) => operator !== bad),
      )
      expect(honest.flatMap(({ log }) => log)).not.toContain('council.round-failed')
    })
  }

  it('an operator with two bodies for its turn costs that period only, and the next roster removes the operator', async () => {
    world = await councilWorld(['birch'])
    const liar = NAMES.indexOf('birch')
    const { seats } = world
    const honest = seats.filter(({ operator }) => operator !== liar)
    for (const seat of honest)
      seat.pool.onNews((kind) => void (kind === 'sheets' && equivocate(world!, seat, liar, honest)))
    const periods: { isOwnTurn: boolean; isCertified: boolean; isRemoved: boolean }[] = []
    for (let i = 0; i < 30; i++) {
      const [before, firstEpoch] = [world.predecessor(), world.due()]
      const index = before.operators.findIndex(({ key }) => equalBytes(key, operatorSigner('birch').key))
      const isOwnTurn = index >= 0 && proposerTurn(before, firstEpoch, index) === 0
      await world.livePeriod()
      const { roster } = honest[0]!.rosters.newest!
      const isCertified = roster.firstEpoch === firstEpoch && haveSame(honest, roster.height)
      periods.push({ isOwnTurn, isCertified, isRemoved: isGone(roster, operatorSigner('birch').key) })
    }
    const failed = periods.findIndex(({ isCertified }) => !isCertified)
    expect(failed).toBeGreaterThanOrEqual(0)
    expect(failed).toBe(periods.findIndex(({ isOwnTurn }) => isOwnTurn))
    expect(periods.filter(({ isCertified }) => !isCertified)).toHaveLength(1)
    expect(periods.findIndex(({ isRemoved }) => isRemoved)).toBe(failed + 1)
    expect(honest[0]!.rosters.newest!.roster.operators.map(({ name }) => name)).not.toContain('birch')
  })
})

/** Before the liar's own turn is over, it shows one body to some peers and another body to the others. */
function equivocate(world: World, { council, pool, rosters }: Seat, liar: number, honest: readonly Seat[]): void {
  const [due, newest] = [council.due(), rosters.newest!]
  const key = operatorSigner('birch').key
  const operator = newest.roster.operators.findIndex((item) => equalBytes(item.key, key))
  if (due === undefined || operator < 0 || proposerTurn(due.predecessor, due.firstEpoch, operator) !== 0) return
  const roots = sheetsToRoots(due.roster, pool.sheets(due.firstEpoch))
  if (roots === undefined || pool.proposals(due.height, due.firstEpoch).length > 0) return
  const { firstEpoch, height } = due
  const { federation } = newest.roster
  const node = peerSigner('birch')
  const move = {
    kind: 'move' as const,
    until: firstEpoch,
    at: world.clock.now(),
    key: node.key,
    addresses: ['/dns/x/tcp/1'],
  }
  const bodyOf = (changes: SignedChange[]) => {
    const choice = { firstEpoch, changes: changes.map(encodeChange), sheets: roots.sheets }
    const body = succeed(newest, { ...choice, commitments: [], reveals: [] })
    return bodyToCertified(encodeRoster(body), roots.sheetSignatures, [])
  }
  const bodies = [bodyOf([]), bodyOf([signChange(newChange(federation, move), node)])]
  for (const [i, body] of bodies.entries()) {
    world.bodies.set(hex(body.hash), body)
    const unsigned = { height, firstEpoch, hash: body.hash, holder: node.key, operator }
    const message = signProposal(operatorSigner('birch'), federation, unsigned)
    world.deliver(
      message,
      honest.filter((seat, at) => seat.operator !== liar && at % 2 === i),
    )
  }
}
