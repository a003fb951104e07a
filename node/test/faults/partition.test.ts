/** Goal G6: a network in two halves for 45 s, with eight peers as processes in network namespaces, and stock js-libp2p. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bytesToHex } from '@geotrace/core-wasm/wire'
import { afterAll, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/platform/random.ts'
import { foundManifest } from '../../src/testing/simulated/federation.ts'
import { type Network, network } from './namespaces.ts'

const [PEERS, CUT_MS, HEAL_MAX_MS] = [8, 45_000, 5_000]
/** Every peer asks twice a second. Allow for the delays of a busy machine. */
const SILENT_MAX_MS = 5_000
/** How long the test waits for stock js-libp2p. */
const STOCK_MAX_MS = 60_000
const PROGRAM = fileURLToPath(new URL('partition-peer.mjs', import.meta.url))
const PORT = 4_101

const nets = ['gto', 'gts'].map((prefix) => network(PEERS, `${prefix}${process.pid % 1_000}`))
afterAll(() => {
  for (const net of nets) net?.remove()
})
const isPossible = nets.every((net) => net !== undefined)
if (!isPossible) process.stdout.write('SKIPPED: partition.test.ts needs root and network namespaces (ip netns)\n')

interface Said {
  state: string
  /** The time of the last answer, Unix ms, by way of asking and peer. */
  answered: Partial<Record<Way, Record<string, number>>>
}
type Way = 'links' | 'phones'
const ask = async (peer: ChildProcess): Promise<Said> => {
  const said = once(peer, 'message')
  peer.send('say')
  return (await said)[0] as Said
}
/** Disconnects from a peer and waits until its process exits. */
const end = async (peer: ChildProcess): Promise<void> => {
  if (peer.exitCode !== null || peer.signalCode !== null) return
  const ended = once(peer, 'exit')
  peer.disconnect()
  await ended
}
const isLeft = (i: number): boolean => i < PEERS / 2

/**
 * `healedMs`: from healing until all pairs have answered each other over their links. `silentMs`: the longest time without
 * an answer within one side during the cut, by any way of asking.
 */
async function partition(net: Network, peers: ChildProcess[], names: string[], isLong: boolean) {
  const pairs = peers.flatMap((_, i) => names.map((name, j) => ({ i, j, name }))).filter(({ i, j }) => i !== j)
  const same = pairs.filter(({ i, j }) => isLeft(i) === isLeft(j))
  const across = pairs.filter(({ i, j }) => isLeft(i) !== isLeft(j))
  /** When each of these pairs got its last answer, by the given ways of asking or by all. */
  const answers = async (of: typeof pairs, ways?: Way[]): Promise<number[]> => {
    const said = await Promise.all(peers.map(ask))
    return of.flatMap(({ i, name }) => {
      const { answered } = said[i]!
      return (ways ?? (Object.keys(answered) as Way[])).map((way) => answered[way]?.[name] ?? 0)
    })
  }
  const untilAll = async (atMs: number, maxMs: number, ways?: Way[]): Promise<number> => {
    const started = performance.now()
    while (performance.now() - started < maxMs) {
      if ((await answers(pairs, ways)).every((last) => last > atMs)) return performance.now() - started
      await pause(100)
    }
    return Number.POSITIVE_INFINITY
  }
  expect(await untilAll(Date.now(), 60_000, ['links'])).toBeLessThan(Number.POSITIVE_INFINITY)
  net.cut()
  const cutMs = Date.now()
  let silentMs = 0
  while (Date.now() - cutMs < CUT_MS) {
    await pause(1_000)
    const oldest = Math.min(...(await answers(same)))
    silentMs = Math.max(silentMs, Date.now() - oldest)
  }
  const states = (await Promise.all(peers.map(ask))).map(({ state }) => state)
  const hasCrossed = (await answers(across)).some((last) => last > cutMs + 1_000)
  net.heal()
  const healedMs = await untilAll(Date.now(), isLong ? STOCK_MAX_MS : 30_000, ['links'])
  return { states, silentMs, hasCrossed, healedMs }
}

describe.skipIf(!isPossible)('a network in two halves for 45 seconds', () => {
  it('both halves of a cut network serve throughout, and all links are back five seconds after', async () => {
    const net = nets[0]!
    const secrets = Array.from({ length: PEERS }, (_, i) => ({
      secret: systemRandom(32),
      operatorSecret: systemRandom(32),
      nonce: systemRandom(32),
      name: `operator-${i}`,
      address: `/ip4/${net.address(i)}/tcp/${PORT}`,
    }))
    const manifest = foundManifest(secrets, Date.now())
    const cards = [...manifest.members, manifest.central]
    const dir = mkdtempSync(join(tmpdir(), 'geotrace-partition-'))
    const peers = await Promise.all(secrets.map((_, i) => net.run(i, PROGRAM)))
    try {
      for (const [i, { secret, operatorSecret }] of secrets.entries()) {
        const keys = { secret: bytesToHex(secret), operatorSecret: bytesToHex(operatorSecret) }
        const near = cards.filter((_, j) => isLeft(i) === isLeft(j)).map(({ peerId }) => peerId)
        peers[i]!.send({ kind: 'ours', manifest, dir: join(dir, String(i)), ...keys, near, isCentral: i === PEERS - 1 })
      }
      for (const peer of peers) while ((await ask(peer)).state !== 'serving') await pause(200)
      const result = await partition(
        net,
        peers,
        cards.map(({ peerId }) => peerId),
        false,
      )
      process.stdout.write(`partition, ours: ${JSON.stringify(result)}\n`)
      expect(result.states).toEqual(Array(PEERS).fill('serving'))
      expect(result.hasCrossed).toBe(false)
      expect(result.silentMs).toBeLessThanOrEqual(SILENT_MAX_MS)
      expect(result.healedMs).toBeLessThanOrEqual(HEAL_MAX_MS)
    } finally {
      await Promise.all(peers.map(end))
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
    }
  })

  it('stock js-libp2p needs more than five seconds until all links are back', async () => {
    const net = nets[1]!
    const listen = Array.from({ length: PEERS }, (_, i) => `/ip4/${net.address(i)}/tcp/${PORT}`)
    const peers = await Promise.all(listen.map((_, i) => net.run(i, PROGRAM)))
    try {
      for (const [i, peer] of peers.entries()) {
        peer.send({ kind: 'stock', listen: listen[i]!, others: listen.filter((_, j) => j !== i) })
      }
      const result = await partition(net, peers, listen, true)
      process.stdout.write(`partition, stock: ${JSON.stringify(result)}\n`)
      expect(result.hasCrossed).toBe(false)
      expect(result.healedMs).toBeGreaterThan(HEAL_MAX_MS)
    } finally {
      await Promise.all(peers.map(end))
    }
  })
})
