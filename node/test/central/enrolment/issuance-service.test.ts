import { constants, createPublicKey, verify } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import {
  blindToken,
  modulusToKeyId,
  modulusToSpki,
  openToken,
  TOKEN_KINDS,
  type TokenKind,
} from '@geotrace/core-wasm/tokens'
import {
  DAY_MS,
  DEMO_PHRASE,
  decodeIssuanceReply,
  encodeIssuanceRequest,
  HOUR_MS,
  hexToBytes,
  type IssuanceRequest,
  MINUTE_MS,
  parseReportCode,
  type TokenParameters,
  tokensPerFrame,
} from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Enrolments, enrolments } from '../../../src/central/enrolment/enrolments.ts'
import { issuanceService } from '../../../src/central/enrolment/issuance-service.ts'
import { openIssuerKeys } from '../../../src/central/enrolment/issuer-keys.ts'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { demoIssuerNumbers } from '../../../src/membership/demo-issuer.ts'
import { fileRecords } from '../../../src/platform/file-records.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { errorCode } from '../../error-code.ts'
import { MODULUS, TOKENS } from '../../issuer.ts'
import { demoManifest } from '../world.ts'

const NOON = Date.UTC(2026, 10, 20, 12)
const manifest = demoManifest()
const { syncRequestBytes: CLASSES, syncReplyBytes: REPLY } = manifest.parameters
const toPerDay = (kind: TokenKind) => (kind === 'relay' ? 2 : TOKENS.perDay)
const PER_FRAME = tokensPerFrame(CLASSES, REPLY)

describe('the issuance of tokens', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-issuer-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  async function issuer(parameters: TokenParameters | undefined = TOKENS) {
    const clock = simulatedClock(NOON)
    const keys = await openIssuerKeys(await fileRecords(dir), () =>
      Object.values(demoIssuerNumbers(DEMO_PHRASE)).map(({ key }) => key),
    )
    const store = memoryStore()
    const enrolled: Enrolments = enrolments({ store, clock, random: systemRandom, perDay: toPerDay })
    const given: { parameters(): TokenParameters | undefined } = { parameters: () => parameters }
    const service = issuanceService({
      manifest,
      keys,
      enrolments: enrolled,
      clock,
      parameters: () => given.parameters(),
    })
    return { clock, keys, store, enrolled, service, given, code: async () => (await enrolled.issue({})).codes[0]! }
  }
  type Issuer = Awaited<ReturnType<typeof issuer>>
  const messages = (count: number) =>
    Array.from({ length: count }, () => blindToken(MODULUS, systemRandom(32), systemRandom))
  const request = ({ clock }: Issuer, more: Partial<IssuanceRequest> & Pick<IssuanceRequest, 'enrolment'>) =>
    encodeIssuanceRequest(
      {
        minute: Math.floor(clock.now() / MINUTE_MS),
        code: undefined,
        keyId: modulusToKeyId(MODULUS),
        messages: [],
        ...more,
      },
      CLASSES,
    )
  const ask = async (i: Issuer, more: Parameters<typeof request>[1]) =>
    decodeIssuanceReply(await i.service.answer(request(i, more)))
  const fresh = (count: number) => messages(count).map(({ message }) => message)
  const enrol = async (i: Issuer) => {
    const enrolment = systemRandom(32)
    expect(await ask(i, { enrolment, code: parseReportCode(await i.code()) })).toMatchObject({ outcome: 'enrolled' })
    return enrolment
  }

  it('a code enrols one device, which gets tokens that OpenSSL verifies, in frames as small as an empty sync', async () => {
    const i = await issuer()
    const enrolment = systemRandom(32)
    const wanted = messages(PER_FRAME)
    const frame = request(i, {
      enrolment,
      code: parseReportCode(await i.code()),
      messages: wanted.map(({ message }) => message),
    })
    expect([PER_FRAME, frame.length]).toEqual([3, CLASSES[0]])
    const bytes = await i.service.answer(frame)
    expect(bytes.length).toBe(REPLY)
    const reply = decodeIssuanceReply(bytes)
    expect(reply).toMatchObject({ time: NOON, outcome: 'enrolled', left: TOKENS.perDay - PER_FRAME })
    const key = createPublicKey({ key: Buffer.from(modulusToSpki(MODULUS)), format: 'der', type: 'spki' })
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }
    for (const [n, { finish }] of wanted.entries()) {
      const { input, signature } = openToken(finish(reply.signatures[n]!)!)
      expect(verify('sha384', input, { key, ...padding }, signature)).toBe(true)
    }
    expect(i.service.counters).toEqual({ enrolments: 1, tokens: 3 })
  })

  it('a device gets no more than the tokens of a day, and tomorrow those of tomorrow', async () => {
    const i = await issuer()
    const enrolment = await enrol(i)
    expect(await ask(i, { enrolment, messages: fresh(3) })).toMatchObject({ left: 1 })
    const refused = await ask(i, { enrolment, messages: fresh(2) }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'QUOTA_SPENT', data: { retryAfterMs: 12 * HOUR_MS } })
    expect(await ask(i, { enrolment, messages: fresh(1) })).toMatchObject({ left: 0 })
    expect(await errorCode(ask(i, { enrolment, messages: fresh(1) }))).toBe('QUOTA_SPENT')
    await i.clock.advanceTo(NOON + 12 * HOUR_MS)
    expect(await ask(i, { enrolment, messages: fresh(3) })).toMatchObject({ left: 1 })
    // A clock that is set back gives no day twice.
    const back = enrolments({ store: i.store, clock: simulatedClock(NOON), random: systemRandom, perDay: toPerDay })
    expect(await back.grant({ kind: 'evaluation', enrolment, count: 1, digest: systemRandom(32) })).toBe('spent')
  })

  it('a repeated request gets the same answer and costs nothing, whatever its minute', async () => {
    const i = await issuer()
    const enrolment = await enrol(i)
    const wanted = fresh(3)
    const first = await ask(i, { enrolment, messages: wanted })
    await i.clock.advanceTo(NOON + 5 * MINUTE_MS)
    const again = await ask(i, { enrolment, messages: wanted })
    expect(again).toEqual({ ...first, time: i.clock.now() })
    expect(await ask(i, { enrolment, messages: fresh(1) })).toMatchObject({ left: 0 })
  })

  it('requests that race for the last tokens get no more than are left', async () => {
    const i = await issuer()
    const enrolment = await enrol(i)
    const wishes = Array.from({ length: 4 }, () => ({
      kind: 'evaluation' as const,
      enrolment,
      count: 2,
      digest: systemRandom(32),
    }))
    const grants = await Promise.all(wishes.map((wish) => i.enrolled.grant(wish)))
    expect(grants.filter((left) => typeof left === 'number')).toHaveLength(2)
  })

  it('a stranger, a wrong, a spent, a revoked and an old code get nothing, and say why', async () => {
    const i = await issuer()
    const outcome = async (more: Parameters<typeof request>[1]) => {
      const reply = await ask(i, { messages: fresh(1), ...more })
      return [reply.outcome, reply.signatures.length]
    }
    const enrolment = systemRandom(32)
    expect(await outcome({ enrolment })).toEqual(['not-enrolled', 0])
    expect(await outcome({ enrolment, code: systemRandom(10) })).toEqual(['code-unknown', 0])
    const code = await i.code()
    expect(await outcome({ enrolment, code: parseReportCode(code) })).toEqual(['enrolled', 1])
    expect(await outcome({ enrolment, code: parseReportCode(code) })).toEqual(['enrolled', 1])
    expect(await outcome({ enrolment: systemRandom(32), code: parseReportCode(code) })).toEqual(['code-spent', 0])
    const revoked = await i.code()
    await i.enrolled.revoke(revoked)
    expect(await outcome({ enrolment, code: parseReportCode(revoked) })).toEqual(['code-expired', 0])
    const { codes, expiresAt } = await i.enrolled.issue({ days: 1, count: 2 })
    await i.clock.advanceTo(expiresAt)
    expect(await outcome({ enrolment, code: parseReportCode(codes[1]!) })).toEqual(['code-expired', 0])
    expect(await errorCode(i.enrolled.revoke('7K3D-9QWX-0A1B-2C3D'))).toBe('CODE_UNKNOWN')
    expect(await errorCode(i.enrolled.issue({ count: 0 }))).toBe('COMMAND_INVALID')
    expect(await errorCode(i.enrolled.issue({ days: 400 }))).toBe('COMMAND_INVALID')
  })

  it('each kind has an allowance of its own, and the key of a request says which kind it is', async () => {
    const i = await issuer()
    const enrolment = await enrol(i)
    const relay = hexToBytes(TOKENS.relayKey)
    const wanted = [0, 1].map(() => blindToken(relay, systemRandom(32), systemRandom))
    const blinded = wanted.map(({ message }) => message)
    const head = { enrolment, keyId: modulusToKeyId(relay) }
    const reply = await ask(i, { ...head, messages: blinded })
    expect(reply).toMatchObject({ outcome: 'enrolled', left: 0 })
    // The signature is one of the relay key: no node counts it as a token of evaluations.
    for (const [n, { finish }] of wanted.entries()) expect(finish(reply.signatures[n]!)).toBeDefined()
    expect(
      await errorCode(ask(i, { ...head, messages: [blindToken(relay, systemRandom(32), systemRandom).message] })),
    ).toBe('QUOTA_SPENT')
    expect(await ask(i, { enrolment, messages: fresh(3) })).toMatchObject({ left: 1 })
    expect(await ask(i, { ...head, messages: blinded })).toMatchObject({ signatures: reply.signatures })
  })

  it('a device that the authority withdrew gets no token more, also by the same code, until a new code enrols it', async () => {
    const i = await issuer()
    const [enrolment, code] = [systemRandom(32), await i.code()]
    const outcome = async (text?: string) => {
      const more = text === undefined ? {} : { code: parseReportCode(text) }
      return (await ask(i, { enrolment, messages: fresh(1), ...more })).outcome
    }
    expect(await outcome(code)).toBe('enrolled')
    expect(await i.enrolled.revoke(code)).toBe('device')
    expect([await outcome(), await outcome(code)]).toEqual(['not-enrolled', 'code-expired'])
    // The tokens of today stay counted.
    const later = await i.code()
    expect(await ask(i, { enrolment, code: parseReportCode(later), messages: fresh(2) })).toMatchObject({ left: 1 })
    // The first code names another enrolment than the one that counts now.
    expect(await i.enrolled.revoke(code)).toBe('code')
    expect(await outcome()).toBe('enrolled')
    await i.clock.advanceTo(NOON + 200 * DAY_MS)
    expect(await i.enrolled.revoke(later)).toBe('device')
    await i.clock.advanceTo(NOON + 500 * DAY_MS)
    expect([await outcome(), await outcome(later)]).toEqual(['not-enrolled', 'code-expired'])
  })

  it('a batch is revoked as a whole: open codes enrol nobody, and its devices get no token more', async () => {
    const i = await issuer()
    const [{ batch, codes }, other] = [await i.enrolled.issue({ count: 3 }), await i.enrolled.issue({})]
    const devices = [systemRandom(32), systemRandom(32), systemRandom(32)]
    const outcome = async (n: number, text?: string) => {
      const more = text === undefined ? {} : { code: parseReportCode(text) }
      return (await ask(i, { enrolment: devices[n]!, messages: fresh(1), ...more })).outcome
    }
    expect([await outcome(0, codes[0]), await outcome(1, other.codes[0])]).toEqual(['enrolled', 'enrolled'])
    await i.enrolled.revokeBatch(batch)
    expect([await outcome(0), await outcome(0, codes[0])]).toEqual(['not-enrolled', 'code-expired'])
    expect([await outcome(2, codes[1]), await outcome(2, codes[0])]).toEqual(['code-expired', 'code-spent'])
    expect(await outcome(1)).toBe('enrolled')
    for (const name of ['0000000000', 'batch', batch.toUpperCase()])
      expect(await errorCode(i.enrolled.revokeBatch(name))).toBe('CODE_UNKNOWN')
  })

  it('a kept frame, another key, a number above the modulus and a malformed frame are typed errors and cost no token', async () => {
    const i = await issuer()
    const enrolment = await enrol(i)
    const now = Math.floor(NOON / MINUTE_MS)
    for (const minute of [0, now - 11, now + 11])
      expect(await errorCode(ask(i, { enrolment, minute }))).toBe('CLOCK_SKEWED')
    expect(await errorCode(ask(i, { enrolment, keyId: systemRandom(32) }))).toBe('TOKEN_REFUSED')
    expect(await errorCode(ask(i, { enrolment, messages: [MODULUS] }))).toBe('MESSAGE_MALFORMED')
    expect(await errorCode(i.service.answer(request(i, { enrolment }).subarray(1)))).toBe('VERSION_UNKNOWN')
    expect(await errorCode(i.service.answer(request(i, { enrolment }).slice(0, -1)))).toBe('MESSAGE_MALFORMED')
    i.given.parameters = () => undefined
    expect(await errorCode(ask(i, { enrolment }))).toBe('TOKEN_REFUSED')
    // The peer lost the key that the roster names.
    i.given.parameters = () => ({ ...TOKENS, key: `f${TOKENS.key.slice(1)}` })
    const keyId = modulusToKeyId(Buffer.from(`f${TOKENS.key.slice(1)}`, 'hex'))
    expect(await errorCode(ask(i, { enrolment, keyId }))).toBe('TOKEN_REFUSED')
    i.given.parameters = () => TOKENS
    expect(await ask(i, { enrolment, messages: fresh(3) })).toMatchObject({ left: 1 })
  })

  it('the store has no byte of an enrolment secret, of a code or of a message', async () => {
    const i = await issuer()
    const kept: string[] = []
    const { putEnrolment } = i.store
    i.store.putEnrolment = (name, record, before) => {
      kept.push(Buffer.from(name).toString('hex'), Buffer.from(record.bytes).toString('hex'))
      return putEnrolment(name, record, before)
    }
    const [enrolment, code] = [systemRandom(32), await i.code()]
    const [message] = fresh(1)
    await ask(i, { enrolment, code: parseReportCode(code), messages: [message!] })
    expect(kept.length).toBeGreaterThanOrEqual(8)
    for (const secret of [enrolment, parseReportCode(code), message!.slice(0, 16)])
      expect(kept.join()).not.toContain(Buffer.from(secret).toString('hex'))
  })

  it('the issuer keeps the keys of its three newest draws, one for each kind, also after a restart', async () => {
    const { keys } = await issuer()
    expect(keys.moduli).toEqual([TOKENS.key, TOKENS.relayKey])
    const drawn = [await keys.add(), await keys.add(), await keys.add()].flat()
    const again = await openIssuerKeys(await fileRecords(dir))
    expect(again.moduli).toEqual(drawn)
    for (const modulus of drawn) expect(modulus).toMatch(/^[89a-f][0-9a-f]{510}[13579bdf]$/)
    const bytes = Buffer.from(drawn[5]!, 'hex')
    const { message, finish } = blindToken(bytes, systemRandom(32), systemRandom)
    expect(finish(again.signer(drawn[5]!)!(message))).toBeDefined()
    expect(again.signer(TOKENS.key)).toBeUndefined()
  }, 60_000)

  it('a demo derives its keys from the phrase, and nobody else does', () => {
    const [own, other] = [DEMO_PHRASE, 'another phrase'].map((phrase) => demoIssuerNumbers(phrase))
    expect([own!.evaluation.modulus, own!.relay.modulus]).toEqual([TOKENS.key, TOKENS.relayKey])
    for (const kind of TOKEN_KINDS) expect(other![kind].modulus).not.toBe(own![kind].modulus)
    for (const kind of TOKEN_KINDS) expect(own![kind].modulus).toMatch(/^[89a-f][0-9a-f]{510}[13579bdf]$/)
    expect(Math.floor(NOON / DAY_MS)).toBe(20_777)
  })
})
