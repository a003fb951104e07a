/** Rows, deposits and marks for tests. A small number or a short text becomes a hash. */
import { createHash } from 'node:crypto'
import {
  bytesToRows,
  compareHashes,
  concatBytes,
  LAG_CURRENT,
  type Mark,
  type Row,
  rowsToBytes,
} from '@geotrace/core-wasm/wire'
import type { CentralStore, Deposit, EpochRows, User } from '../../../src/central/store/central-store.ts'

export function hash(n: number | string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`hash ${n}`).digest().subarray(0, 12))
}

export function id(name: number | string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`user ${name}`).digest())
}

/** The hashes of these names, ascending, as bytes. */
export function hashes(...names: (number | string)[]): Uint8Array {
  return concatBytes(...names.map(hash).sort(compareHashes))
}

/** The rows of one user in an epoch. */
export async function rowsOf(store: Pick<CentralStore, 'userRows'>, epoch: number, user: User): Promise<Row[]> {
  return bytesToRows((await store.userRows(epoch, [user]))[0]!)
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
  return { epoch, rows: rowsToBytes(rows(...items)) }
}

export function deposit(user: User, sync: number, groups: EpochRows[], more: Partial<Deposit> = {}): Deposit {
  const content = createHash('sha256')
  for (const { epoch, rows } of groups) content.update(`${epoch}`).update(rows)
  const digest = new Uint8Array(content.digest())
  const limits = { day: 100, since: 0, perDay: 10_000 }
  return { user, syncId: syncId(sync), digest, basis: Uint8Array.of(sync), ...limits, groups, ...more }
}

export function mark(epoch: number, n: number | string, degree = 1, weight = 32, lag: 0 | 1 = 0): Mark {
  return { epoch, hash: hash(n), degree, weight, lag }
}
