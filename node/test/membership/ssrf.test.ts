import { createServer, type Server } from 'node:net'
import { simulatedClock } from '@geotrace/core-wasm'
import {
  decodeDone,
  encodeGossip,
  encodeRosterRequest,
  peerIdToKey,
  ROSTER_PROTOCOL,
  signPresence,
} from '@geotrace/core-wasm/wire'
import { afterEach, expect, it } from 'vitest'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { cast, Stage, untilLater } from '../salt/federation.ts'
import { foundWith } from '../salt/founded.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

/** A server on loopback that counts connections and closes them. */
async function counter(host: string, port = 0): Promise<{ server: Server; hits: () => number; port: number }> {
  let hits = 0
  const server = createServer((socket) => {
    hits++
    socket.on('error', () => {})
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  stage.atEnd(() => new Promise((resolve) => server.close(resolve)))
  return { server, hits: () => hits, port: (server.address() as { port: number }).port }
}

it('no peer of a federation connects to the addresses of a stranger that a member names as its own', async () => {
  const clock = simulatedClock(NOW)
  const players = await cast(4, NOW)
  const { nodes, client } = await foundWith(stage, players, clock)
  const [liar, ...honest] = [...nodes].reverse()
  await liar!.stop()
  // Its own address, which the roster lists, shows that the others do dial what this presence says.
  const listed = players.manifest.members.find(({ peerId }) => Buffer.compare(peerIdToKey(peerId), liar!.key) === 0)!
    .addresses[0]!
  const own = await counter('127.0.0.1', Number(/\/tcp\/(\d+)/.exec(listed)![1]))
  const strangers = await Promise.all(Array.from({ length: 4 }, () => counter('127.66.0.1')))
  const victims = strangers.map(({ port }) => `/ip4/127.66.0.1/tcp/${port}`)
  const names = strangers.slice(1).map(({ port }) => `/dns4/localhost/tcp/${port}`)
  const signer = nativeSigner(players.secrets[nodes.indexOf(liar!)]!)
  const addresses = [...victims, ...names, listed]
  const none = new Uint8Array(8)
  const claimed = { time: clock.now() + 60_000, height: 0, roster: none, release: none, addresses }
  const presence = signPresence(signer, claimed)
  const member = await stage.host(clock, players.secrets[nodes.indexOf(liar!)]!)
  const submit = encodeRosterRequest({ op: 'submit', message: encodeGossip(presence) })
  decodeDone(await member.request({ key: honest[0]!.key, addresses: honest[0]!.addresses() }, ROSTER_PROTOCOL, submit))
  await member.stop()
  const said = (node: (typeof nodes)[number]) => node.membership()!.pool.presence(liar!.key)?.addresses
  await untilLater(clock, () => honest.every((node) => said(node)?.length === addresses.length))
  const untilMs = clock.now() + 60_000
  await untilLater(clock, () => clock.now() >= untilMs && own.hits() > 0)
  expect(strangers.map(({ hits }) => hits())).toEqual([0, 0, 0, 0])
  await client.stop()
})
