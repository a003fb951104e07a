/** Rows, deposits and marks for tests. A small number or a short text becomes a hash. */
import { createHash } from 'node:crypto'
import { compareHashes, LAG_CURRENT, type Mark, type Row } from '@geotrace/core-wasm/wire'
import type { Deposit, EpochRows, User } from '../../../src/central/store/central-store.ts'

export function hash(n: number | string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`hash ${n}`).digest().subarray(0, 12))
}

export function id(name: number | string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`user ${name}`).digest())
}

export function syncId(n: number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`sync ${n}`).digest().subarray(0, 16))
}

export function row(n: number | string, lags = LAG_CURRENT, size = 5): Row {
  return { hash: hash(n), size, lags }
}

export function rows(...items: Row[]): Row[] {
  return items.sort((a, b) => compareHashes(a.hash, b.hash))
}

export function group(epoch: number, ...items: Row[]): EpochRows {
  return { epoch, rows: rows(...items) }
}

export function deposit(user: User, sync: number, groups: EpochRows[], more: Partial<Deposit> = {}): Deposit {
  const digest = new Uint8Array(createHash('sha256').update(JSON.stringify(groups)).digest())
  return { user, syncId: syncId(sync), digest, basis: Uint8Array.of(sync), day: 100, perDay: 10_000, groups, ...more }
}

export function mark(epoch: number, n: number | string, degree = 1, weight = 32, lag: 0 | 1 = 0): Mark {
  return { epoch, hash: hash(n), degree, weight, lag }
}
