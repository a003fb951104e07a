/** A federation of salt nodes that has certified its founding roster, and a client that has fetched the roster. */
import type { Clock, Random } from '@geotrace/core-wasm'
import { type Cast, fetchRoster, isServing, type Stage, startAll, untilLater } from './federation.ts'

export async function foundWith(stage: Stage, players: Cast, clock: Clock, random?: Random) {
  const central = await stage.central(players, clock)
  const started = startAll(stage, players, clock, random)
  await Promise.all([central.start(), started])
  const { nodes, dirs } = await started
  const client = await stage.host(clock)
  await untilLater(clock, () => nodes.every(isServing) && central.rosters.newest !== undefined)
  const certified = await fetchRoster(client, { key: nodes[0]!.key, addresses: nodes[0]!.addresses() })
  return { central, nodes, dirs, client, certified }
}
