import { simulatedClock } from '@geotrace/core-wasm'
import {
  assertCertified,
  decodeCertifiedRoster,
  decodeNewsReply,
  decodePoolReply,
  decodeRosterReply,
  decodeRosterStep,
  EPOCH_MS,
  encodeChange,
  encodeEvidence,
  encodeGossip,
  encodeRosterRequest,
  encodeTimeReply,
  hashToRosterName,
  manifestToId,
  manifestToPredecessor,
  newChange,
  type Pin,
  ROSTER_PROTOCOL,
  rosterChain,
  signChange,
  signPin,
  signPresence,
  signVote,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { cast, fetchRoster, isServing, Stage, startAll, untilLater } from '../salt/federation.ts'
import { randomRoots } from './founding.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

describe('the roster service', () => {
  it('a node answers rosters, the time and evidence for everybody, bodies, the pool and other messages for peers only, and a newcomer gets its own application', async () => {
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
    const here = { time: clock.now() + 1, height: 0, roster: hashToRosterName(certified.hash) }
    const presence = encodeGossip(signPresence(self, { ...here, release: new Uint8Array(8), addresses: [] }))
    for (const request of [
      { op: 'body', hash: certified.hash },
      { op: 'pool' },
      { op: 'submit', message: presence },
    ] as const) {
      expect(await status(stranger, request), request.op).toBe(13)
      expect(await status(member, request), request.op).toBe(0)
    }
    const name = hashToRosterName(certified.hash)
    for (const request of [
      { op: 'get', height: 0 },
      { op: 'news', height: 0, epoch: 0 },
      { op: 'named', form: 'step', roster: name },
      { op: 'time' },
      { op: 'presence' },
    ] as const) {
      expect(await status(stranger, request), request.op).toBe(0)
    }
    // A device asks for the step to a roster with the pins, and for the step to one that does not exist.
    const ask = async (request: Parameters<typeof encodeRosterRequest>[0]): Promise<Uint8Array> =>
      await stranger.request(peer, ROSTER_PROTOCOL, encodeRosterRequest(request))
    const news = async (height: number, epoch = 0) => decodeNewsReply(await ask({ op: 'news', height, epoch }))
    const isStep = (step: Uint8Array) => {
      const found = rosterChain(players.manifest).checkStep(decodeRosterStep(step))
      expect(found).toMatchObject([{ hash: certified.hash, body: certified.body, sheetSignatures: [] }])
    }
    isStep((await news(0)).step!)
    expect(await news(1)).toEqual({ pins: [], step: undefined })
    isStep(decodeRosterReply(await ask({ op: 'named', form: 'step', roster: name }))!)
    const named = decodeRosterReply(await ask({ op: 'named', form: 'certificate', roster: name }))!
    expect(decodeCertifiedRoster(named).hash).toEqual(certified.hash)
    expect(decodeRosterReply(await ask({ op: 'named', form: 'step', roster: systemRandom(8) }))).toBeUndefined()
    // Anybody may submit a pin of the central peer, and every peer then hands it out.
    const epoch = timeToEpoch(clock.now())
    const submitPin = (item: Pin) => status(stranger, { op: 'submit', message: encodeGossip({ kind: 'pin', ...item }) })
    const pin = signPin(nativeSigner(players.centralSecret), certified.roster.federation, epoch, certified.hash)
    expect(await submitPin({ ...pin, epoch: epoch + 1 })).toBe(13)
    expect(await submitPin(pin)).toBe(0)
    expect(await submitPin(pin)).toBe(13)
    expect((await news(1)).pins).toEqual([pin])
    expect((await news(1, epoch + 1)).pins).toEqual([])
    await untilLater(clock, () => nodes[2]!.membership()!.pool.pins(0).length === 1)
    // A known message is refused, and so is a malformed one.
    expect(await status(member, { op: 'submit', message: presence })).toBe(13)
    expect(await status(member, { op: 'submit', message: presence.slice(0, -1) })).not.toBe(0)
    // A node that applied to join gets its own application from the pool, and nothing else.
    const joinerSecret = systemRandom(32)
    const [joiner, joinerOperator] = [nativeSigner(joinerSecret), nativeSigner(systemRandom(32))]
    const sponsor = nativeSigner(players.operatorSecrets[3]!)
    const join = { kind: 'join' as const, operator: 'oak', operatorKey: joinerOperator.key, key: joiner.key }
    const until = Math.floor(clock.now() / EPOCH_MS) + 100
    const change = newChange(manifestToId(players.manifest), { ...join, until, addresses: ['/ip4/127.0.0.1/tcp/1'] })
    const application = [joiner, joinerOperator, sponsor].reduce(signChange, change)
    nodes[0]!.membership()!.submit(application)
    const newcomer = await stage.host(clock, joinerSecret)
    const pool = decodePoolReply(await newcomer.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'pool' })))
    expect(pool).toEqual([encodeGossip({ kind: 'change', change: encodeChange(application) })])
    expect(await status(stranger, { op: 'pool' })).toBe(13)
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
      encodeTimeReply({ time: clock.now(), federation: manifestToId(players.manifest) }),
    )
  })
})
