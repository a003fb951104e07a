/** Neither a restart of the node nor a new key of a client gives a fresh quota; with real nodes on sockets. PROTOCOL.md §5.5. */
import { simulatedClock } from '@geotrace/core-wasm'
import {
  answerToSalts,
  type Block,
  encodeSaltRequest,
  hashToRosterName,
  isFederationError,
  keyToShards,
  SALT_PROTOCOL,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { afterEach, expect, it } from 'vitest'
import type { Host } from '../../src/net/protocol.ts'
import { cast, fetchRoster, isServing, Stage, startAll, untilLater } from './federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

it('a restarted node still knows the quota that each requester has used', async () => {
  const clock = simulatedClock(NOW)
  const players = await cast(4, NOW, { quota: 'strict' })
  const [{ nodes, dirs }] = await Promise.all([
    startAll(stage, players, clock),
    stage.central(players, clock).then((central) => central.start()),
  ])
  await untilLater(clock, () => nodes.every(isServing))
  const first = await stage.host(clock)
  const certified = await fetchRoster(first, { key: nodes[0]!.key, addresses: nodes[0]!.addresses() })
  const index = nodes.findIndex(({ key }) => keyToShards(certified.roster, key).length > 0)
  const [shard] = keyToShards(certified.roster, nodes[index]!.key)
  const epoch = timeToEpoch(NOW)
  const [one, other]: Block[] = [
    { size: 80, n: epoch },
    { size: 80, n: epoch - 1 },
  ]
  const ask = async (client: Host, block: Block): Promise<string> => {
    const node = nodes[index]!
    const frame = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard: shard!, blocks: [block] })
    try {
      const bytes = await client.request({ key: node.key, addresses: node.addresses() }, SALT_PROTOCOL, frame)
      answerToSalts(bytes, certified, shard!, [block], node.key)
      return 'OK'
    } catch (error) {
      if (isFederationError(error)) return error.code
      throw error
    }
  }
  expect(await ask(first, one!)).toBe('OK')
  expect(await ask(first, other!)).toBe('QUOTA_SPENT')
  // Each client has its own key; all clients share one address.
  expect(await ask(await stage.host(clock), other!)).toBe('QUOTA_SPENT')

  await nodes[index]!.stop()
  const [secret, operatorSecret] = [players.secrets[index]!, players.operatorSecrets[index]!]
  nodes[index] = stage.node({ manifest: players.manifest, secret, operatorSecret, dir: dirs[index]!, clock })
  await nodes[index].start()
  await untilLater(clock, () => isServing(nodes[index]!))
  expect(await ask(await stage.host(clock), other!)).toBe('QUOTA_SPENT')
  // The same request is answered again.
  expect(await ask(first, one!)).toBe('OK')
})
