/**
 * All that a central store has, as a copy into a store of another engine needs it. node/CENTRAL.md "From the directory to
 * PostgreSQL". Values have the bytes that both engines keep, without their seals. Users have the numbers of the source.
 */
import { createHash } from 'node:crypto'
import { bytesToHex, type Pin } from '@geotrace/core-wasm/wire'
import type {
  Attempts,
  CodeRecord,
  EnrolmentRecord,
  Lease,
  ReportId,
  ReportProgress,
  ReportRecord,
  User,
} from './central-store.ts'

export interface SourceUser {
  readonly user: User
  /** The keyed hash of the id (`toUserKey`). */
  readonly key: Uint8Array
  /** UTC day of the last deposit. */
  readonly seen: number
  readonly attempts: Attempts | undefined
  /** The list of marks (`encodeMarkList`). */
  readonly list: Uint8Array
}
export interface SourceMarks {
  readonly user: User
  readonly report: ReportId
  /** `encodeMarks`. */
  readonly marks: Uint8Array
}
/** The rows of one sync on one UTC day, with its acknowledgement on the day of its arrival (arrival.ts). */
export interface SourceBlob {
  readonly user: User
  /** The sync id, or 16 other bytes for rows without the acknowledgement. */
  readonly sync: Uint8Array
  readonly blob: Uint8Array
}
/** An entry that belongs to no user, or of a kind with few entries. */
export type SourceRecord =
  | { readonly kind: 'report'; readonly value: ReportRecord }
  | { readonly kind: 'progress'; readonly value: ReportProgress }
  | { readonly kind: 'code'; readonly value: CodeRecord }
  | { readonly kind: 'pin'; readonly value: Pin }
  | {
      readonly kind: 'slip'
      readonly period: number
      readonly report: ReportId
      readonly user: User
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'batch'; readonly period: number; readonly bytes: Uint8Array }
  | { readonly kind: 'enrolment'; readonly name: Uint8Array; readonly value: EnrolmentRecord }
  | { readonly kind: 'lease'; readonly value: Lease }
  | { readonly kind: 'step'; readonly name: string; readonly until: number; readonly count: number }
  | { readonly kind: 'record'; readonly name: string; readonly bytes: Uint8Array }

export interface StoreSource {
  /** The erasures that the source knows of, so that a copy does not repeat them. */
  erased(): Promise<readonly { readonly day: number; readonly key: Uint8Array }[]>
  /** The secret of the users' keys, which a copy needs to find its users. */
  readonly userSecret: Uint8Array
  /** Changes with each write. */
  state(): Promise<string>
  readonly floor: number
  /** The numbers that the next user and the next report get. */
  next(): Promise<{ readonly user: User; readonly report: ReportId }>
  users(): AsyncIterable<SourceUser>
  marks(): AsyncIterable<SourceMarks>
  records(): AsyncIterable<SourceRecord>
  /** Ascending. */
  days(): number[]
  blobs(day: number): AsyncIterable<SourceBlob>
  /** The epochs of a day that were closed. */
  closed(day: number): Promise<number[]>
}

/** The number of items of a part of a store, and a digest that does not depend on their order. */
export interface PartDigest {
  readonly count: number
  readonly digest: string
}

const MODULUS = 1n << 256n

/** Adds up the SHA-256 of each item. */
export function partDigest(): { add(item: object): void; result(): PartDigest } {
  let [count, sum] = [0, 0n]
  return {
    add(item) {
      const text = JSON.stringify(item, (_, value: unknown) =>
        value instanceof Uint8Array ? bytesToHex(value) : value,
      )
      sum = (sum + BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)) % MODULUS
      count++
    },
    result: () => ({ count, digest: sum.toString(16).padStart(64, '0') }),
  }
}
