/**
 * Enrolled devices and the codes that enrol them, in the central store. PROTOCOL.md §5.12, §7.8. A device is a hash of its
 * enrolment secret with the tokens of one day. The store learns no token, and no user: the two never meet.
 * Every change replaces a record that was just read, so two processes cannot give a device two allowances.
 * Throws COMMAND_INVALID, CODE_UNKNOWN, BUSY.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import type { TokenKind } from '@geotrace/core-wasm/tokens'
import {
  busy,
  bytesToHex,
  DAY_MS,
  type EnrolmentOutcome,
  equalBytes,
  FederationError,
  formatReportCode,
  hexToBytes,
  parseReportCode,
  REPORT_CODE_BYTES,
} from '@geotrace/core-wasm/wire'
import type { CentralStore } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'
import {
  BATCH_BYTES,
  type DeviceRecord,
  decodeBatch,
  decodeCode,
  decodeDevice,
  encodeBatch,
  encodeCode,
  encodeDevice,
  NO_HASH,
  NOTHING_ISSUED,
  toName,
} from './enrolment-records.ts'

/** Codes in one order, as many as of report codes. */
export const ENROLMENT_CODES_MAX = 10_000
export const ENROLMENT_DAYS_MAX = 366
/** A device that fetches no token for so long enrols again. */
const DEVICE_DAYS = 366
/** Two requests for one record are rare, and each loses at most to one other. */
const TRIES_MAX = 4

/** One request for tokens. */
interface Wish {
  readonly kind: TokenKind
  readonly enrolment: Uint8Array
  readonly count: number
  readonly digest: Uint8Array
}
/**
 * The tokens of the kind that are left of today's; `spent`: the device wants more than it may have; undefined: nobody enrolled
 * it, or the authority withdrew it.
 */
type Grant = number | 'spent' | undefined
export interface EnrolmentCodes {
  /** Names the order: 10 hex digits. */
  readonly batch: string
  readonly expiresAt: number
  readonly codes: readonly string[]
}

export interface Enrolments {
  /** New codes as text for people. Only this call returns them, because the store has hashes only. */
  issue(order: { count?: unknown; days?: unknown }): Promise<EnrolmentCodes>
  /** The code enrols nobody any more, and the device that it enrolled gets no more tokens. Throws CODE_UNKNOWN. */
  revoke(text: string): Promise<'code' | 'device'>
  /** The same for all codes of an order. Throws CODE_UNKNOWN. */
  revokeBatch(batch: string): Promise<void>
  /** Enrols a device by a code. The same device may present its code again. */
  enrol(code: Uint8Array, enrolment: Uint8Array): Promise<EnrolmentOutcome>
  /** Charges a request to the device. */
  grant(wish: Wish): Promise<Grant>
}
interface EnrolmentsInit {
  readonly store: Pick<CentralStore, 'findEnrolment' | 'putEnrolment'>
  readonly clock: Clock
  readonly random: Random
  /** Tokens of a kind that a device gets in a UTC day. */
  perDay(kind: TokenKind): number
}

export function enrolments(init: EnrolmentsInit): Enrolments {
  const { store, clock, random } = init
  return {
    async issue(order) {
      const count = whole('count', order.count ?? 1, ENROLMENT_CODES_MAX)
      const days = whole('days', order.days ?? 30, ENROLMENT_DAYS_MAX)
      const expiresAt = clock.now() + days * DAY_MS
      const batch = random(BATCH_BYTES)
      const until = timeToDay(expiresAt)
      const open = { bytes: encodeBatch(false), until: until + DEVICE_DAYS }
      await store.putEnrolment(toName('batch', batch), open, undefined)
      const codes = Array.from({ length: count }, () => random(REPORT_CODE_BYTES))
      const bytes = encodeCode({ state: 'open', expiresAt, batch, device: NO_HASH })
      for (const code of codes) await store.putEnrolment(toName('code', code), { bytes, until }, undefined)
      return { batch: bytesToHex(batch), expiresAt, codes: codes.map(formatReportCode) }
    },
    revoke: (text) => untilKept(() => revoke(init, parseReportCode(text))),
    revokeBatch: (batch) => untilKept(() => revokeBatch(init, batch)),
    enrol: (code, enrolment) => untilKept(() => enrol(init, code, enrolment)),
    grant: (wish) => untilKept(() => grant(init, wish)),
  }
}

async function revoke({ store, clock }: EnrolmentsInit, text: Uint8Array): Promise<'code' | 'device' | 'raced'> {
  const name = toName('code', text)
  const found = await store.findEnrolment(name)
  if (found === undefined) throw new FederationError('CODE_UNKNOWN', 'this enrolment code was never issued')
  const code = decodeCode(found.bytes)
  if (code.state !== 'spent') {
    const bytes = encodeCode({ ...code, state: 'revoked' })
    return (await store.putEnrolment(name, { ...found, bytes }, found.bytes)) ? 'code' : 'raced'
  }
  const device = await store.findEnrolment(code.device)
  // A later code enrolled the device again, or the device was forgotten.
  if (device === undefined || !equalBytes(decodeDevice(device.bytes).code, name)) return 'code'
  // The record outlives the code, which would enrol the device again.
  const until = timeToDay(clock.now()) + DEVICE_DAYS
  const bytes = encodeDevice({ ...decodeDevice(device.bytes), isWithdrawn: true })
  return (await store.putEnrolment(code.device, { bytes, until }, device.bytes)) ? 'device' : 'raced'
}

async function revokeBatch({ store, clock }: EnrolmentsInit, batch: string): Promise<undefined | 'raced'> {
  const isName = /^[0-9a-f]{10}$/.test(batch)
  const name = toName('batch', isName ? hexToBytes(batch) : NO_HASH)
  const found = isName ? await store.findEnrolment(name) : undefined
  if (found === undefined) throw new FederationError('CODE_UNKNOWN', 'no order of enrolment codes has this name')
  // The record outlives the last device of the order.
  const until = Math.max(found.until, timeToDay(clock.now()) + DEVICE_DAYS)
  return (await store.putEnrolment(name, { bytes: encodeBatch(true), until }, found.bytes)) ? undefined : 'raced'
}

async function enrol(
  { store, clock }: EnrolmentsInit,
  text: Uint8Array,
  enrolment: Uint8Array,
): Promise<EnrolmentOutcome | 'raced'> {
  const [name, device] = [toName('code', text), toName('device', enrolment)]
  const found = await store.findEnrolment(name)
  if (found === undefined) return 'code-unknown'
  const code = decodeCode(found.bytes)
  if (code.state === 'spent' && !equalBytes(code.device, device)) return 'code-spent'
  const isOver = code.state === 'revoked' || (code.state === 'open' && code.expiresAt <= clock.now())
  if (isOver || (await isBatchRevoked(store, code.batch))) return 'code-expired'
  const until = timeToDay(clock.now()) + DEVICE_DAYS
  if (code.state === 'open') {
    const bytes = encodeCode({ ...code, state: 'spent', device })
    if (!(await store.putEnrolment(name, { bytes, until }, found.bytes))) return 'raced'
  }
  // The code first: after a crash between the two the device presents it again.
  const before = await store.findEnrolment(device)
  const known = before && decodeDevice(before.bytes)
  if (known !== undefined && equalBytes(known.code, name)) return known.isWithdrawn ? 'code-expired' : 'enrolled'
  // A new code gives no second allowance.
  const issued = known?.issued ?? NOTHING_ISSUED
  const bytes = encodeDevice({ isWithdrawn: false, code: name, batch: code.batch, issued })
  return (await store.putEnrolment(device, { bytes, until }, before?.bytes)) ? 'enrolled' : 'raced'
}

async function grant(
  { store, clock, perDay }: EnrolmentsInit,
  { kind, enrolment, count, digest }: Wish,
): Promise<Grant | 'raced'> {
  const name = toName('device', enrolment)
  const found = await store.findEnrolment(name)
  if (found === undefined) return undefined
  const device: DeviceRecord = decodeDevice(found.bytes)
  if (device.isWithdrawn || (await isBatchRevoked(store, device.batch))) return undefined
  const last = device.issued[kind]
  const day = timeToDay(clock.now())
  const before = last.day === day ? last.count : 0
  const left = Math.max(0, perDay(kind) - before)
  if (count === 0 || (last.day === day && equalBytes(last.digest, digest))) return left
  // A day that begins by a clock that was set back gives nothing anew.
  if (last.day > day || count > left) return 'spent'
  const issued = { ...device.issued, [kind]: { day, count: before + count, digest } }
  const record = { bytes: encodeDevice({ ...device, issued }), until: day + DEVICE_DAYS }
  return (await store.putEnrolment(name, record, found.bytes)) ? left - count : 'raced'
}

async function isBatchRevoked(store: EnrolmentsInit['store'], batch: Uint8Array): Promise<boolean> {
  const found = await store.findEnrolment(toName('batch', batch))
  return found !== undefined && decodeBatch(found.bytes)
}

/** Reads, decides and writes again when another request was faster. Throws BUSY. */
async function untilKept<T>(attempt: () => Promise<T | 'raced'>): Promise<T> {
  for (let i = 0; i < TRIES_MAX; i++) {
    const result = await attempt()
    if (result !== 'raced') return result
  }
  throw busy()
}

function whole(name: string, value: unknown, max: number): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max) return value as number
  const reason = `"${name}" expected 1..${max}, got ${String(value)}`
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
