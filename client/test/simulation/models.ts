/**
 * Plain models of the expected results: salts of a seed, rows of a fix, marks of a report. PROTOCOL.md §3, §5.1, §8.
 * The models use node:crypto and loops over all rows. They share no line with ratchet.ts, hashing.ts, risk-hashes.ts,
 * risk.ts or the voprf room. They use a group for products, sums and elements from hashes.
 */
import { createHash, createHmac } from 'node:crypto'
import type { Core, Fix } from '@geotrace/core-wasm'
import type { Group } from '@geotrace/core-wasm/voprf'

const SIZES = [5, 10, 20, 40, 80]
const MINUTE_MS = 60_000

/** The salt of (size, n), hex, from a seed that is the state of `firstEpoch`. */
export function seedToSalt(seed: Uint8Array, firstEpoch: number, size: number, n: number): string {
  const message = Buffer.alloc(5)
  message.writeUInt8(size, 0)
  message.writeUInt32BE(n, 1)
  return createHmac('sha256', seedToLeaf(seed, firstEpoch, Math.floor((n * size) / 80)))
    .update('geotrace/salt')
    .update(message)
    .digest('hex')
}

/** The operations of a group that the models use. */
type ModelGroup = Pick<Group, 'multiply' | 'multiplyBase' | 'add' | 'fromHash'>

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
const sha512 = (...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** The secret of a part in an epoch, as a number. */
export function seedToScalar(seed: Uint8Array, firstEpoch: number, epoch: number): bigint {
  const wide = sha512('geotrace/scalar', seedToLeaf(seed, firstEpoch, epoch))
  return BigInt(`0x${wide.reverse().toString('hex')}`) % ORDER
}

/** A number as a scalar of 32 bytes, little-endian. */
export function toScalar(value: bigint): Uint8Array {
  const rest = ((value % ORDER) + ORDER) % ORDER
  return new Uint8Array(Buffer.from(rest.toString(16).padStart(64, '0'), 'hex').reverse())
}

/** The factor of x = `own` by which the values at all of `xs` combine to the value at 0. */
export function lagrange(xs: readonly bigint[], own: bigint): bigint {
  let [up, down] = [1n, 1n]
  for (const x of xs) if (x !== own) [up, down] = [up * x, down * (x - own)]
  return up * power(((down % ORDER) + ORDER) % ORDER, ORDER - 2n)
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % ORDER
    square = (square * square) % ORDER
  }
  return result
}

const CONTEXT = Buffer.from('HashToGroup-OPRFV1-\x01-ristretto255-SHA512', 'latin1')
const DOMAIN = Buffer.concat([CONTEXT, Buffer.of(CONTEXT.length)])

function cellToInput(cell: bigint): Buffer {
  const input = Buffer.alloc(8)
  input.writeBigUInt64BE(cell)
  return input
}

/** RFC 9497 HashToGroup, by expand_message_xmd of RFC 9380. */
export function cellToElement(group: ModelGroup, cell: bigint): Uint8Array {
  const first = sha512(new Uint8Array(128), cellToInput(cell), Buffer.of(0, 64, 0), DOMAIN)
  return group.fromHash(new Uint8Array(sha512(first, Buffer.of(1), DOMAIN)))
}

/** The key of a cell, hex, from its evaluated element: RFC 9497 Finalize, first half. */
export function elementToKey(cell: bigint, element: Uint8Array): string {
  const output = sha512(Buffer.of(0, 8), cellToInput(cell), Buffer.of(0, 32), element, 'Finalize')
  return output.subarray(0, 32).toString('hex')
}

function seedToLeaf(seed: Uint8Array, firstEpoch: number, epoch: number): Buffer {
  let state = Buffer.from(seed)
  for (let e = firstEpoch; e < epoch; e++)
    state = createHash('sha256').update('geotrace/ratchet').update(state).digest()
  return createHash('sha256').update('geotrace/leaf').update(state).digest()
}

export interface ModelRow {
  epoch: number
  /** The risk hash, hex. */
  hash: string
  size: number
  /** Bit 1: current, bit 2: next. */
  lags: number
}

type Places = Pick<Core, 'fixToCells' | 'cellToRegion' | 'regionToShard'>

/** The shards of a fix's three cells. */
export function fixToShards(core: Places, { lat, lng }: { lat: number; lng: number }, shards: number): number[] {
  return core.fixToCells(lat, lng).map((cell) => core.regionToShard(core.cellToRegion(cell), shards))
}

/** The secret of a cell and a time block of a shard, hex: its salt, or the cell's key for the epoch. */
export type ToSecret = (shard: number, size: number, n: number, cell: bigint) => string | undefined

/** The thirty rows of a fix; undefined when `toSecret` has no secret for one of them. */
export function fixToRows(core: Places, fix: Fix, shards: number, toSecret: ToSecret): ModelRow[] | undefined {
  const rows: ModelRow[] = []
  for (const cell of core.fixToCells(fix.lat, fix.lng)) {
    const shard = core.regionToShard(core.cellToRegion(cell), shards)
    for (const size of SIZES) {
      for (const lag of [0, 1]) {
        const n = Math.floor(fix.at / (size * MINUTE_MS)) + lag
        const secret = toSecret(shard, size, n, cell)
        if (secret === undefined) return undefined
        const block = Buffer.alloc(48)
        Buffer.from(secret, 'hex').copy(block)
        block.writeUInt32BE(n, 32)
        block.set([size, 0x47, 0x54, 1], 36)
        block.writeBigUInt64BE(cell, 40)
        const hash = createHash('sha256').update(block).digest('hex').slice(0, 24)
        rows.push({ epoch: Math.floor((n * size) / 80), hash, size, lags: 1 << lag })
      }
    }
  }
  return rows
}

/** One row for each epoch and hash, with merged lags, by `epoch/hash`. */
export function addRows(rows: readonly ModelRow[]): Map<string, ModelRow> {
  const merged = new Map<string, ModelRow>()
  for (const row of rows) {
    const key = `${row.epoch}/${row.hash}`
    merged.set(key, { ...row, lags: row.lags | (merged.get(key)?.lags ?? 0) })
  }
  return merged
}

export interface ModelReport {
  user: number
  from: number
  until: number
}
export interface ModelMark {
  degree: number
  weight: number
  lag: number
}

const WEIGHTS: Record<number, number> = { 5: 16, 10: 8, 20: 4, 40: 2, 80: 1 }
const DEGREES = 2

/**
 * The founding rule: any directed match marks, at most two degrees, only forward in time. The model walks every chain from
 * the reporter. `rows` is by user, then by `epoch/hash`. The result has the gravest mark of each `user/epoch/hash`.
 */
export function reportToMarks(rows: ReadonlyMap<number, ReadonlyMap<string, ModelRow>>, report: ModelReport) {
  const marks = new Map<string, ModelMark>()
  const walk = (chain: readonly number[], from: number): void => {
    const source = rows.get(chain.at(-1)!)
    if (chain.length > DEGREES || source === undefined) return
    for (const [target, theirs] of rows) {
      if (target === chain.at(-1) || target === report.user || target === chain.at(-2)) continue
      let first = Number.POSITIVE_INFINITY
      for (const [key, row] of theirs) {
        const match = source.get(key)
        if (match === undefined || (row.lags & 1) === 0) continue
        if (row.epoch < report.from || row.epoch > report.until) continue
        const isCurrent = (match.lags & 1) === 1
        if (isCurrent ? row.epoch < from : row.epoch <= from) continue
        const mark = { degree: chain.length, weight: WEIGHTS[row.size]! * (isCurrent ? 2 : 1), lag: isCurrent ? 0 : 1 }
        first = Math.min(first, row.epoch)
        const place = `${target}/${key}`
        const known = marks.get(place)
        if (known === undefined || isGraver(mark, known)) marks.set(place, mark)
      }
      if (first < Number.POSITIVE_INFINITY) walk([...chain, target], first)
    }
  }
  walk([report.user], report.from)
  return marks
}

/** Whether `a` is graver: a lower degree, then more weight, then a smaller lag. */
export function isGraver(a: ModelMark, b: ModelMark): boolean {
  if (a.degree !== b.degree) return a.degree < b.degree
  return a.weight !== b.weight ? a.weight > b.weight : a.lag < b.lag
}
