/**
 * Enrolled devices and the codes that enrol them, in the central store. PROTOCOL.md §5.12, §7.8. A device is a hash of its
 * enrolment secret with the number of tokens of one day. The store learns no token, and no user: the two never meet.
 * Every change replaces a record that was just read, so two processes cannot give a device two allowances.
 * Throws COMMAND_INVALID, CODE_UNKNOWN, CODE_SPENT, BUSY.
 */
import { createHash } from 'node:crypto'
import type { Clock, Random } from '@geotrace/core-wasm'
import {
  busy,
  byteReader,
  byteWriter,
  DAY_MS,
  type EnrolmentOutcome,
  equalBytes,
  FederationError,
  formatReportCode,
  parseReportCode,
  REPORT_CODE_BYTES,
} from '@geotrace/core-wasm/wire'
import type { CentralStore } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'

/** Codes in one order, as many as of report codes. */
export const ENROLMENT_CODES_MAX = 10_000
export const ENROLMENT_DAYS_MAX = 366
/** A device that fetches no token for so long enrols again. */
const DEVICE_DAYS = 366
/** Two requests for one record are rare, and each loses at most to one other. */
const TRIES_MAX = 4
const HASH_BYTES = 32
const NONE = new Uint8Array(HASH_BYTES)
const STATES = ['open', 'spent', 'revoked'] as const

interface CodeRecord {
  readonly state: (typeof STATES)[number]
  readonly expiresAt: number
  /** The name of the device that spent it. */
  readonly device: Uint8Array
}
interface DeviceRecord {
  /** The UTC day of the last issuance, and its tokens. */
  readonly day: number
  readonly count: number
  /** The hash of the last request, which is answered again. */
  readonly digest: Uint8Array
}
/** One request for tokens. */
interface Wish {
  readonly enrolment: Uint8Array
  readonly count: number
  readonly digest: Uint8Array
}
/** The tokens that are left of today's; `spent`: the device wants more than it may have; undefined: nobody enrolled it. */
type Grant = number | 'spent' | undefined
export interface EnrolmentCodes {
  readonly expiresAt: number
  readonly codes: readonly string[]
}

export interface Enrolments {
  /** New codes as text for people. Only this call returns them, because the store has hashes only. */
  issue(order: { count?: unknown; days?: unknown }): Promise<EnrolmentCodes>
  /** Throws CODE_UNKNOWN, CODE_SPENT. */
  revoke(text: string): Promise<void>
  /** Enrols a device by a code. The same device may present its code again. */
  enrol(code: Uint8Array, enrolment: Uint8Array): Promise<EnrolmentOutcome>
  /** Charges a request to the device. */
  grant(wish: Wish): Promise<Grant>
}
interface EnrolmentsInit {
  readonly store: Pick<CentralStore, 'findEnrolment' | 'putEnrolment'>
  readonly clock: Clock
  readonly random: Random
  /** Tokens of a device in a UTC day. */
  perDay(): number
}

export function enrolments({ store, clock, random, perDay }: EnrolmentsInit): Enrolments {
  const today = (): number => timeToDay(clock.now())
  const findCode = async (name: Uint8Array) => {
    const found = await store.findEnrolment(name)
    return found && { ...found, code: decodeCode(found.bytes) }
  }
  const grant = async ({ enrolment, count, digest }: Wish): Promise<Grant | 'raced'> => {
    const name = toName('device', enrolment)
    const found = await store.findEnrolment(name)
    if (found === undefined) return undefined
    const device = decodeDevice(found.bytes)
    const day = today()
    const before = device.day === day ? device.count : 0
    if (count === 0) return Math.max(0, perDay() - before)
    if (device.day === day && equalBytes(device.digest, digest)) return Math.max(0, perDay() - before)
    // A day that begins by a clock that was set back gives nothing anew.
    if (device.day > day || before + count > perDay()) return 'spent'
    const bytes = encodeDevice({ day, count: before + count, digest })
    const isKept = await store.putEnrolment(name, { bytes, until: day + DEVICE_DAYS }, found.bytes)
    return isKept ? perDay() - before - count : 'raced'
  }

  return {
    async issue(order) {
      const count = whole('count', order.count ?? 1, ENROLMENT_CODES_MAX)
      const days = whole('days', order.days ?? 30, ENROLMENT_DAYS_MAX)
      const expiresAt = clock.now() + days * DAY_MS
      const codes = Array.from({ length: count }, () => random(REPORT_CODE_BYTES))
      const bytes = encodeCode({ state: 'open', expiresAt, device: NONE })
      for (const code of codes)
        await store.putEnrolment(toName('code', code), { bytes, until: timeToDay(expiresAt) }, undefined)
      return { expiresAt, codes: codes.map(formatReportCode) }
    },

    revoke: (text) =>
      untilKept(async () => {
        const name = toName('code', parseReportCode(text))
        const found = await findCode(name)
        if (found === undefined) throw new FederationError('CODE_UNKNOWN', 'this enrolment code was never issued')
        if (found.code.state === 'spent')
          throw new FederationError('CODE_SPENT', 'the code was spent: its device is enrolled')
        const bytes = encodeCode({ ...found.code, state: 'revoked' })
        return (await store.putEnrolment(name, { ...found, bytes }, found.bytes)) ? undefined : 'raced'
      }),

    enrol: (code, enrolment) =>
      untilKept(async (): Promise<EnrolmentOutcome | 'raced'> => {
        const [name, device] = [toName('code', code), toName('device', enrolment)]
        const found = await findCode(name)
        if (found === undefined) return 'code-unknown'
        const { state, expiresAt, device: by } = found.code
        if (state === 'spent' && !equalBytes(by, device)) return 'code-spent'
        if (state === 'revoked' || (state === 'open' && expiresAt <= clock.now())) return 'code-expired'
        const until = today() + DEVICE_DAYS
        if (state === 'open') {
          const bytes = encodeCode({ state: 'spent', expiresAt, device })
          if (!(await store.putEnrolment(name, { bytes, until }, found.bytes))) return 'raced'
        }
        // The code first: after a crash between the two the device presents it again.
        await store.putEnrolment(device, { bytes: encodeDevice({ day: 0, count: 0, digest: NONE }), until }, undefined)
        return 'enrolled'
      }),

    grant: (wish) => untilKept(() => grant(wish)),
  }
}

/** Reads, decides and writes again when another request was faster. Throws BUSY. */
async function untilKept<T>(attempt: () => Promise<T | 'raced'>): Promise<T> {
  for (let i = 0; i < TRIES_MAX; i++) {
    const result = await attempt()
    if (result !== 'raced') return result
  }
  throw busy()
}

/** The name of a record. A code has 80 random bits and a secret 256, so the hash needs no key. */
function toName(what: 'code' | 'device', secret: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`geotrace/enrolment/${what}`).update(secret).digest())
}

function encodeCode({ state, expiresAt, device }: CodeRecord): Uint8Array {
  return byteWriter(9 + HASH_BYTES)
    .u8(STATES.indexOf(state))
    .time(expiresAt)
    .bytes(device)
    .finish()
}

function decodeCode(bytes: Uint8Array): CodeRecord {
  const reader = byteReader(bytes)
  return { state: STATES[reader.u8()]!, expiresAt: reader.time(), device: reader.bytes(HASH_BYTES) }
}

function encodeDevice({ day, count, digest }: DeviceRecord): Uint8Array {
  return byteWriter(5 + HASH_BYTES)
    .u32(day)
    .u8(count)
    .bytes(digest)
    .finish()
}

function decodeDevice(bytes: Uint8Array): DeviceRecord {
  const reader = byteReader(bytes)
  return { day: reader.u32(), count: reader.u8(), digest: reader.bytes(HASH_BYTES) }
}

function whole(name: string, value: unknown, max: number): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max) return value as number
  const reason = `"${name}" expected 1..${max}, got ${String(value)}`
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
