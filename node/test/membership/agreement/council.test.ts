import { simulatedClock } from '@geotrace/core-wasm'
import { manifestToPredecessor, manifestToRoster, quorum } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { proposerTurn } from '../../../src/membership/agreement/proposer-order.ts'
import { cast, isServing, Stage, untilLater } from '../../salt/federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

describe('the agreement on a roster', () => {
  it('every operator has a turn of its own to propose', async () => {
    const before = manifestToPredecessor((await cast(7, NOW)).manifest)
    const turns = before.operators.map((_, operator) => proposerTurn(before, 18, operator))
    expect([...turns].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('a quorum certifies the founding roster although the first two proposers are silent', async () => {
    const clock = simulatedClock(NOW)
    // Six operators and the central peer's: a quorum is 5 of 7, so two operators may be silent.
    const players = await cast(6, NOW)
    const voices = [...players.operatorSecrets, players.centralOperatorSecret]
    const before = manifestToPredecessor(players.manifest)
    const silent = new Set(
      voices.map((_, i) => i).filter((i) => proposerTurn(before, manifestToRoster(players.manifest).firstEpoch, i) < 2),
    )
    const central = await stage.central(players, clock, !silent.has(6))
    const dirs = await Promise.all(players.secrets.map(() => stage.dir()))
    const nodes = players.secrets.map((secret, i) =>
      stage.node({
        manifest: players.manifest,
        secret,
        dir: dirs[i]!,
        clock,
        ...(silent.has(i) ? {} : { operatorSecret: players.operatorSecrets[i]! }),
      }),
    )
    await Promise.all([central.start(), ...nodes.map((node) => node.start())])
    expect(central.rosters.newest).toBeUndefined()
    await untilLater(clock, () => central.rosters.newest !== undefined && nodes.every(isServing))
    const voted = central.rosters.newest!.votes.map(({ operator }) => operator)
    expect(voted.length).toBeGreaterThanOrEqual(quorum(7))
    expect(voted.filter((operator) => silent.has(operator))).toEqual([])
  })
})
