import { simulatedClock } from '@geotrace/core-wasm'
import {
  assertCertified,
  decodeRosterReply,
  decodeRosterStep,
  encodeEvidence,
  encodeGossip,
  encodeRosterRequest,
  encodeTimeReply,
  hashToRosterName,
  manifestToPredecessor,
  ROSTER_PROTOCOL,
  rosterChain,
  signPresence,
  signVote,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { cast, fetchRoster, isServing, Stage, startAll, untilLater } from '../salt/federation.ts'
import { randomRoots } from './founding.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

describe('the roster service', () => {
  it('a node answers rosters, the time and evidence for everybody, but bodies, the pool and other messages for peers only', async () => {
    const clock = simulatedClock(NOW)
    const players = await cast(4, NOW)
    const central = await stage.central(players, clock)
    const [{ nodes }] = await Promise.all([startAll(stage, players, clock), central.start()])
    await untilLater(clock, () => nodes.every(isServing))
    const peer = { key: nodes[0]!.key, addresses: nodes[0]!.addresses() }
    const stranger = await stage.host(clock)
    const certified = await fetchRoster(stranger, peer)
    assertCertified(manifestToPredecessor(players.manifest), certified)
    await nodes[1]!.stop()
    const member = await stage.host(clock, players.secrets[1]!)
    const status = async (host: typeof member, request: Parameters<typeof encodeRosterRequest>[0]): Promise<number> =>
      (await host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request)))[0]!
    const self = nativeSigner(players.secrets[1]!)
    const here = { time: clock.now() + 1, height: 0, roster: hashToRosterName(certified.hash), addresses: [] }
    const presence = encodeGossip(signPresence(self, here))
    for (const request of [
      { op: 'body', hash: certified.hash },
      { op: 'pool' },
      { op: 'submit', message: presence },
    ] as const) {
      expect(await status(stranger, request), request.op).toBe(13)
      expect(await status(member, request), request.op).toBe(0)
    }
    for (const request of [{ op: 'get', height: 0 }, { op: 'step', height: 0 }, { op: 'time' }] as const) {
      expect(await status(stranger, request), request.op).toBe(0)
    }
    // A device asks for the step to a roster, and for the step to one that does not exist.
    const ask = async (height: number): Promise<Uint8Array | undefined> =>
      decodeRosterReply(await stranger.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'step', height })))
    const chain = rosterChain(players.manifest)
    expect(chain.checkStep(decodeRosterStep((await ask(0))!))).toMatchObject([
      { hash: certified.hash, body: certified.body, sheetSignatures: [] },
    ])
    expect(await ask(1)).toBeUndefined()
    // A known message is refused, and so is a malformed one.
    expect(await status(member, { op: 'submit', message: presence })).toBe(13)
    expect(await status(member, { op: 'submit', message: presence.slice(0, -1) })).not.toBe(0)
    // Anybody may submit evidence: here that an operator voted twice.
    const liar = nativeSigner(players.operatorSecrets[2]!)
    const ballots = randomRoots(2).map((hash) => ({ height: 1, firstEpoch: certified.roster.firstEpoch + 18, hash }))
    const { federation } = certified.roster
    const [first, second] = ballots.map((ballot) => ({
      ...ballot,
      ...signVote(liar, 2, { federation, ...ballot }),
    }))
    const strip = ({ height, firstEpoch, hash, signature }: NonNullable<typeof first>) => ({
      ...{ height, firstEpoch, hash, signature },
    })
    const proof = { kind: 'votes' as const, key: liar.key, federation, first: strip(first!), second: strip(second!) }
    const submit = (evidence: typeof proof) =>
      status(stranger, {
        op: 'submit',
        message: encodeGossip({ kind: 'evidence', evidence: encodeEvidence(evidence) }),
      })
    expect(await submit({ ...proof, second: proof.first })).toBe(13)
    expect(central.pool.isConvicted(liar.key)).toBe(false)
    expect(await submit(proof)).toBe(0)
    await untilLater(clock, () => central.pool.isConvicted(liar.key))
    expect(await stranger.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'time' }))).toEqual(
      encodeTimeReply(clock.now()),
    )
  })
})
