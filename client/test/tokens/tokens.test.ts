import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from 'node:crypto'
import { testSigner } from '@geotrace/core-wasm/testing'
import { modulusToKeyId, openToken, toTokenChallenge } from '@geotrace/core-wasm/tokens'
import {
  bytesToHex,
  DAY_MS,
  decodeEvaluateRequest,
  decodeIssuanceRequest,
  type EnrolmentOutcome,
  EVALUATE_PROTOCOL,
  encodeIssuanceReply,
  encodeRefusal,
  errorToRefusal,
  FederationError,
  hexToBytes,
  ISSUANCE_FORM,
  type IssuanceRequest,
  MINUTE_MS,
  manifestToId,
  openPaidFrame,
  type Parameters,
  RELAY_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import type { Storage, Tracer } from '../../src/index.ts'
import {
  type FakeFederation,
  fakeFederation,
  life,
  openTracer,
  START_MS,
  seededBytes,
} from '../../src/testing/fake-federation.ts'
import { OPENED_SYNC } from '../../src/testing/fake-relay.ts'
import { Wallet } from '../../src/tokens/wallet.ts'
import { CAFE, HOUR, lastingStorage, recordAll } from '../fixture.ts'

const PER_DAY = 4
const CODE = '7K3D-9QWX-0A1B-2C3D'
const DAY = Math.floor(START_MS / DAY_MS)
const [own, forRelays] = [0, 1].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) as [
  KeyObject,
  KeyObject,
]
const [key, relayKey] = [own, forRelays].map((item) =>
  Buffer.from(item.export({ format: 'jwk' }).n!, 'base64url').toString('hex'),
) as [string, string]
const isRelayKey = (keyId: Uint8Array) => bytesToHex(keyId) === bytesToHex(modulusToKeyId(hexToBytes(relayKey)))
/** The issuer signs with OpenSSL. */
const sign = (keyId: Uint8Array, message: Uint8Array) => {
  const padded = { key: isRelayKey(keyId) ? forRelays : own, padding: constants.RSA_NO_PADDING }
  return new Uint8Array(privateDecrypt(padded, message))
}
const BARE: Partial<Parameters> = { salting: 'threshold', shards: 1, replicas: 5, threshold: 3, evaluations: [4, 12] }
const refusal = (code: 'TOKEN_REFUSED') => encodeRefusal(errorToRefusal(new FederationError(code, 'no')))
const spent = () => encodeRefusal(errorToRefusal(new FederationError('QUOTA_SPENT', 'no', { retryAfterMs: 60_000 })))

interface Issuer {
  readonly asked: IssuanceRequest[]
  readonly frames: Uint8Array[]
  /** Tokens that nodes saw, by name. */
  readonly seen: { peer: string; token: Uint8Array | undefined }[]
  readonly relays: string[]
  outcome: EnrolmentOutcome
  /** In place of the answer of the issuer or of a node. */
  bend?: (request: IssuanceRequest) => Uint8Array
  atNode?: (peer: string, token: Uint8Array | undefined) => Uint8Array | undefined
}

async function ready(storage: Storage = lastingStorage()) {
  const federation = await fakeFederation({ ...BARE, tokens: { perDay: PER_DAY, key, relayKey } })
  const issuer: Issuer = { asked: [], frames: [], seen: [], relays: [], outcome: 'enrolled' }
  const { syncRequestBytes, syncReplyBytes } = federation.manifest.parameters
  federation.intercept = async (peer, protocol, frame, serve) => {
    if (protocol.id === RELAY_PROTOCOL.id) issuer.relays.push(peer)
    if (protocol.id === EVALUATE_PROTOCOL.id) {
      const { token } = decodeEvaluateRequest(frame)
      issuer.seen.push({ peer, token })
      return issuer.atNode?.(peer, token) ?? serve(frame)
    }
    if (protocol.id !== OPENED_SYNC.id || frame[0] !== ISSUANCE_FORM) return serve(frame)
    const request = decodeIssuanceRequest(frame, syncRequestBytes)
    issuer.asked.push(request)
    issuer.frames.push(frame)
    if (issuer.bend !== undefined) return issuer.bend(request)
    const signatures =
      issuer.outcome === 'enrolled' ? request.messages.map((message) => sign(request.keyId, message)) : []
    const reply = { time: federation.clock.now(), outcome: issuer.outcome, left: 0, signatures }
    return encodeIssuanceReply(reply, syncReplyBytes)
  }
  const open = () => openTracer(federation, { storage, random: seededBytes('device') })
  const tracer = await open()
  await recordAll(tracer, life(CAFE, START_MS, 15))
  return { federation, issuer, tracer, storage, open, tokens: await tracer.tokens() }
}
const nodeKey = (peer: string) => testSigner(`peer/${peer}`).key
function isFor(federation: FakeFederation, peer: string, token: Uint8Array, day: number): boolean {
  const challenge = toTokenChallenge('evaluation', manifestToId(federation.manifest), nodeKey(peer), day)
  return bytesToHex(openToken(token).challenge) === bytesToHex(challenge)
}

/** Fixes of another place, for which the device needs new keys. */
async function goElsewhere(federation: FakeFederation, tracer: Tracer): Promise<void> {
  await federation.clock.advanceTo(START_MS + HOUR / 2)
  await recordAll(tracer, life({ ...CAFE, lat: CAFE.lat + 0.01 }, START_MS + HOUR / 2, 15))
}

describe('the tokens of a device', () => {
  it('an enrolled device pays with the token of each member that it asks, and the federation sees one secret of it', async () => {
    const { federation, issuer, tracer, tokens, storage } = await ready()
    expect(await tokens.status()).toEqual({
      isOffered: true,
      isEnrolled: false,
      today: 0,
      tomorrow: 0,
      dueAt: undefined,
    })
    await tracer.sync()
    expect(issuer.seen.length).toBeGreaterThan(0)
    expect(issuer.seen.every(({ token }) => token === undefined)).toBe(true)
    expect(await tokens.enrol(CODE)).toMatchObject({ isEnrolled: true, today: 3, tomorrow: 0 })
    // The code alone, then three messages, because this device has asked three members, then two for relays.
    expect(issuer.asked.map((item) => [item.code !== undefined, item.messages.length, isRelayKey(item.keyId)])).toEqual(
      [
        [true, 0, false],
        [false, 3, false],
        [false, 2, true],
      ],
    )
    const [secret] = issuer.asked.map(({ enrolment }) => bytesToHex(enrolment))
    expect(issuer.asked.every(({ enrolment }) => bytesToHex(enrolment) === secret)).toBe(true)
    expect(issuer.asked.every(({ minute }) => minute === Math.floor(START_MS / MINUTE_MS))).toBe(true)
    const user = await storage.get('meta/user')
    expect(bytesToHex(user!)).not.toBe(secret)
    issuer.seen.length = 0
    await goElsewhere(federation, tracer)
    expect(await tracer.sync()).toMatchObject({ fixesDeferred: 0 })
    expect(issuer.seen).toHaveLength(3)
    for (const { peer, token } of issuer.seen) expect(isFor(federation, peer, token!, DAY)).toBe(true)
    // No relay of an issuance takes a token of this device, where another member is free.
    const payees = issuer.seen.map(({ peer }) => peer)
    expect(payees).not.toContain(issuer.relays[1])
  })

  it('later tokens come a day ahead, at a random time, and nothing is fetched before', async () => {
    const { federation, issuer, tracer, tokens } = await ready()
    await tracer.sync()
    await tokens.enrol(CODE)
    const { dueAt } = await tokens.status()
    expect(dueAt).toBeGreaterThanOrEqual((DAY + 1) * DAY_MS)
    expect(dueAt).toBeLessThan((DAY + 1) * DAY_MS + 20 * HOUR)
    const before = issuer.asked.length
    await tokens.fetch()
    expect(issuer.asked).toHaveLength(before)
    await federation.clock.advanceTo(dueAt!)
    expect(await tokens.fetch()).toMatchObject({ today: 0, tomorrow: 3 })
    const again = (await tokens.status()).dueAt!
    expect(again - (DAY + 2) * DAY_MS).not.toBe(dueAt! - (DAY + 1) * DAY_MS)
    await federation.clock.advanceTo((DAY + 2) * DAY_MS + HOUR)
    expect(await tokens.status()).toMatchObject({ today: 3, tomorrow: 0 })
  })

  it('a request whose answer is lost is repeated with the same bytes, also by the next process', async () => {
    const { federation, issuer, tracer, tokens, open } = await ready()
    await tracer.sync()
    issuer.bend = ({ messages }) => {
      if (messages.length > 0) throw new FederationError('PEER_UNREACHABLE', 'cut', { tried: 1 })
      return encodeIssuanceReply({ time: 0, outcome: 'enrolled', left: 4, signatures: [] }, 1024)
    }
    await expect(tokens.enrol(CODE)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    delete issuer.bend
    await tracer.close()
    await federation.clock.advanceTo(START_MS + HOUR)
    const next = await (await open()).tokens()
    expect(await next.status()).toMatchObject({ isEnrolled: true, today: 0, dueAt: 0 })
    expect(await next.fetch()).toMatchObject({ today: 3 })
    const messages = issuer.asked
      .filter((item) => item.messages.length > 0 && !isRelayKey(item.keyId))
      .map((item) => item.messages.map(bytesToHex))
    expect(messages.length).toBeGreaterThanOrEqual(2)
    for (const other of messages) expect(other).toEqual(messages[0])
  })

  it.each([
    ['TOKEN_REFUSED', () => refusal('TOKEN_REFUSED'), false],
    ['QUOTA_SPENT', spent, true],
  ] as const)(
    'a member that answers %s to a token is asked once more without it, and nothing is lost',
    async (_, answer, isKept) => {
      const { federation, issuer, tracer, tokens } = await ready()
      await tracer.sync()
      await tokens.enrol(CODE)
      issuer.atNode = (_, token) => (token === undefined ? undefined : answer())
      issuer.seen.length = 0
      await goElsewhere(federation, tracer)
      expect(await tracer.sync()).toMatchObject({ fixesDeferred: 0, nodesLied: 0 })
      expect(issuer.seen.map(({ token }) => token !== undefined).sort()).toEqual([
        false,
        false,
        false,
        true,
        true,
        true,
      ])
      // A bucket gains evaluations again; a refused token is worth nothing.
      expect((await tokens.status()).today).toBe(isKept ? 3 : 0)
    },
  )

  it('a device whose address has no quota left learns for which members it needs tokens', async () => {
    const { issuer, tracer, tokens } = await ready()
    issuer.atNode = (_, token) => (token === undefined ? spent() : undefined)
    expect((await tracer.sync()).fixesDeferred).toBeGreaterThan(0)
    expect(await tokens.enrol(CODE)).toMatchObject({ today: PER_DAY })
    expect(await tracer.sync()).toMatchObject({ fixesDeferred: 0, fixesLost: 0 })
  })

  it('a code that enrols nobody is a typed error, and the device keeps its secret for the next attempt', async () => {
    const { issuer, tracer, tokens } = await ready()
    await tracer.sync()
    for (const [outcome, code] of [
      ['code-unknown', 'CODE_UNKNOWN'],
      ['code-spent', 'CODE_SPENT'],
      ['code-expired', 'CODE_EXPIRED'],
      ['not-enrolled', 'TOKEN_REFUSED'],
    ] as const) {
      issuer.outcome = outcome
      await expect(tokens.enrol(CODE)).rejects.toMatchObject({ code })
      expect(await tokens.status()).toMatchObject({ isEnrolled: false, today: 0 })
    }
    await expect(tokens.enrol('no code')).rejects.toMatchObject({ code: 'CODE_UNKNOWN' })
    issuer.outcome = 'enrolled'
    expect(await tokens.enrol(CODE)).toMatchObject({ isEnrolled: true })
    expect(new Set(issuer.asked.map(({ enrolment }) => bytesToHex(enrolment))).size).toBe(1)
  })

  it('a device that the authority withdrew learns it at its next fetch, says so, and asks for no more tokens', async () => {
    const { federation, issuer, tracer, tokens } = await ready()
    const isMissing = async () => (await tracer.protection()).reasons.includes('not-enrolled')
    expect(await isMissing()).toBe(true)
    await tracer.sync()
    await tokens.enrol(CODE)
    expect(await isMissing()).toBe(false)
    await federation.clock.advanceTo((DAY + 1) * DAY_MS + 20 * HOUR)
    issuer.outcome = 'not-enrolled'
    await expect(tokens.fetch()).rejects.toMatchObject({ code: 'TOKEN_REFUSED' })
    expect(await tokens.status()).toMatchObject({ isOffered: true, isEnrolled: false, dueAt: undefined })
    expect(await isMissing()).toBe(true)
    const asked = issuer.asked.length
    await tokens.fetch()
    expect(issuer.asked).toHaveLength(asked)
    // A new code enrols the same device again.
    issuer.outcome = 'enrolled'
    expect(await tokens.enrol(CODE)).toMatchObject({ isEnrolled: true })
  })

  it('a false signature gives no token, and the tokens of a spent day come the next day', async () => {
    const { federation, issuer, tracer, tokens } = await ready()
    await tracer.sync()
    const answer = (signatures: Uint8Array[]) =>
      encodeIssuanceReply({ time: 0, outcome: 'enrolled', left: 0, signatures }, 1024)
    issuer.bend = ({ messages }) => answer(messages.map(() => new Uint8Array(256).fill(1)))
    await expect(tokens.enrol(CODE)).rejects.toMatchObject({ code: 'TOKEN_REFUSED' })
    expect(await tokens.status()).toMatchObject({ isEnrolled: true, today: 0 })
    issuer.bend = () => spent()
    expect((await tokens.fetch()).dueAt).toBeGreaterThanOrEqual((DAY + 1) * DAY_MS)
    delete issuer.bend
    await federation.clock.advanceTo((DAY + 1) * DAY_MS + 20 * HOUR)
    expect(await tokens.fetch()).toMatchObject({ tomorrow: 3 })
  })

  it('a device whose address has no frames left pays a relay with the token for it, and keeps the token otherwise', async () => {
    const { federation, issuer, tracer, tokens } = await ready()
    await tracer.sync()
    await tokens.enrol(CODE)
    const paid: { peer: string; token: Uint8Array | undefined }[] = []
    const { intercept } = federation
    let isSpent = false
    federation.intercept = async (peer, protocol, frame, serve) => {
      if (protocol.id !== RELAY_PROTOCOL.id) return intercept!(peer, protocol, frame, serve)
      const { token, sealed } = openPaidFrame(frame)
      paid.push({ peer, token })
      return isSpent && token === undefined ? spent() : intercept!(peer, protocol, sealed, serve)
    }
    const again = async (at: number) => {
      paid.length = 0
      await federation.clock.advanceTo(at)
      await recordAll(tracer, life({ ...CAFE, lat: CAFE.lat + at / 1e13 }, at, 15))
      expect(await tracer.sync()).toMatchObject({ fixesDeferred: 0, fixesLost: 0 })
      return paid.filter(({ token }) => token !== undefined)
    }
    expect(await again(START_MS + HOUR)).toEqual([])
    isSpent = true
    const used = await again(START_MS + 2 * HOUR)
    expect(used.length).toBeGreaterThan(0)
    for (const { peer, token } of used) {
      const challenge = toTokenChallenge('relay', manifestToId(federation.manifest), nodeKey(peer), DAY)
      expect(bytesToHex(openToken(token!).challenge)).toBe(bytesToHex(challenge))
    }
    // No token of a relay is one of evaluations, and none goes to two members.
    const names = new Set(used.map(({ token }) => bytesToHex(token!)))
    expect(names.size).toBe(new Set(used.map(({ peer }) => peer)).size)
    for (const { token } of issuer.seen) expect(names).not.toContain(token && bytesToHex(token))
  })

  it('a federation without tokens has no wallet, and nobody enrols there', async () => {
    const federation = await fakeFederation(BARE)
    const storage = lastingStorage()
    const tracer = await openTracer(federation, { storage })
    await recordAll(tracer, life(CAFE, START_MS, 15))
    await tracer.sync()
    const tokens = await tracer.tokens()
    expect(await tokens.status()).toMatchObject({ isOffered: false, isEnrolled: false })
    await expect(tokens.enrol(CODE)).rejects.toMatchObject({ code: 'TOKEN_REFUSED' })
    expect(await storage.get('meta/tokens')).toBeUndefined()
  })

  it('erasing the diary erases tokens and enrolment', async () => {
    const { tracer, tokens, storage } = await ready()
    await tracer.sync()
    await tokens.enrol(CODE)
    await tracer.eraseAll()
    expect(await tokens.status()).toMatchObject({ isEnrolled: false, today: 0 })
    expect([await storage.get('meta/tokens'), await storage.get('meta/enrolment')]).toEqual([undefined, undefined])
  })

  it('a wallet remembers the 32 members that it asked most, and old habits fade', async () => {
    const wallet = await Wallet.open(lastingStorage())
    const member = (n: number) => new Uint8Array(32).fill(n)
    for (let n = 1; n <= 40; n++) for (let i = 0; i < 40 - n + 1; i++) wallet.note(member(n))
    expect(wallet.favourites(40)).toHaveLength(32)
    expect(wallet.favourites(2)).toEqual([bytesToHex(member(1)), bytesToHex(member(2))])
    for (let i = 0; i < 300; i++) wallet.note(member(9))
    expect(wallet.favourites(1)).toEqual([bytesToHex(member(9))])
    for (let i = 0; i < 200; i++) wallet.note(member(3))
    expect(wallet.favourites(1)).toEqual([bytesToHex(member(3))])
  })
})
