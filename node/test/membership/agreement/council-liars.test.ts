import { signVote } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { NAMES, operatorSigner } from '../chain.ts'
import { councilWorld, haveSame, type World } from './council-world.ts'

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
})
