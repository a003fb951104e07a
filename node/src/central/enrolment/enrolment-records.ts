/**
 * The records of enrolment in the central store: codes, their batches, and enrolled devices. Each stands under a name of 32
 * bytes. A code has 80 random bits and a secret 256, so the hash needs no key.
 */
import { createHash } from 'node:crypto'
import { TOKEN_KINDS, type TokenKind } from '@geotrace/core-wasm/tokens'
import { byteReader, byteWriter } from '@geotrace/core-wasm/wire'

const HASH_BYTES = 32
export const BATCH_BYTES = 5
export const NO_HASH = new Uint8Array(HASH_BYTES)
const STATES = ['open', 'spent', 'revoked'] as const

interface CodeRecord {
  readonly state: (typeof STATES)[number]
  readonly expiresAt: number
  /** The order to which the code belongs. */
  readonly batch: Uint8Array
  /** The name of the device that spent it. */
  readonly device: Uint8Array
}
/** The tokens of one kind. */
interface Issued {
  /** The UTC day of the last issuance, and its tokens. */
  readonly day: number
  readonly count: number
  /** The hash of the last request, which is answered again. */
  readonly digest: Uint8Array
}
export interface DeviceRecord {
  readonly isWithdrawn: boolean
  /** The name of the code that enrolled it, and that code's batch. */
  readonly code: Uint8Array
  readonly batch: Uint8Array
  readonly issued: Readonly<Record<TokenKind, Issued>>
}

const NOTHING: Issued = { day: 0, count: 0, digest: NO_HASH }
export const NOTHING_ISSUED: DeviceRecord['issued'] = { evaluation: NOTHING, relay: NOTHING }

export function toName(what: 'code' | 'device' | 'batch', secret: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`geotrace/enrolment/${what}`).update(secret).digest())
}

export function encodeCode({ state, expiresAt, batch, device }: CodeRecord): Uint8Array {
  return byteWriter(9 + BATCH_BYTES + HASH_BYTES)
    .u8(STATES.indexOf(state))
    .time(expiresAt)
    .bytes(batch, BATCH_BYTES)
    .bytes(device, HASH_BYTES)
    .finish()
}

export function decodeCode(bytes: Uint8Array): CodeRecord {
  const reader = byteReader(bytes)
  const [state, expiresAt] = [STATES[reader.u8()]!, reader.time()]
  return { state, expiresAt, batch: reader.bytes(BATCH_BYTES), device: reader.bytes(HASH_BYTES) }
}

export function encodeDevice({ isWithdrawn, code, batch, issued }: DeviceRecord): Uint8Array {
  const writer = byteWriter(1 + HASH_BYTES + BATCH_BYTES + TOKEN_KINDS.length * (5 + HASH_BYTES)).u8(
    isWithdrawn ? 1 : 0,
  )
  writer.bytes(code, HASH_BYTES).bytes(batch, BATCH_BYTES)
  for (const kind of TOKEN_KINDS)
    writer.u32(issued[kind].day).u8(issued[kind].count).bytes(issued[kind].digest, HASH_BYTES)
  return writer.finish()
}

export function decodeDevice(bytes: Uint8Array): DeviceRecord {
  const reader = byteReader(bytes)
  const isWithdrawn = reader.u8() === 1
  const [code, batch] = [reader.bytes(HASH_BYTES), reader.bytes(BATCH_BYTES)]
  const next = (): Issued => ({ day: reader.u32(), count: reader.u8(), digest: reader.bytes(HASH_BYTES) })
  const issued = Object.fromEntries(TOKEN_KINDS.map((kind) => [kind, next()])) as DeviceRecord['issued']
  return { isWithdrawn, code, batch, issued }
}

/** One byte: whether the whole batch is revoked. */
export function encodeBatch(isRevoked: boolean): Uint8Array {
  return Uint8Array.of(isRevoked ? 1 : 0)
}

export function decodeBatch(bytes: Uint8Array): boolean {
  return bytes[0] === 1
}
