/**
 * The core's public functions: they check what they are given (TypeError, RangeError), copy it into the module's areas,
 * call, copy out and wipe. PROTOCOL.md, cells … risk hash. Synchronous, no allocation inside the module.
 */

import type { Cell, Fix, Region, RiskPoints, Salting, TimeBlock } from '../domain.ts'
import { timeToBlocks } from './blocks.ts'
import { fixToCells, latLngsToCells } from './cells.ts'
import { crc32, hmacBatch, sha256Batch } from './digests.ts'
import { type Build, type CoreOptions, instantiate } from './instance.ts'
import { cellToRegion, regionToShard } from './regions.ts'
import { hashRiskPoints, riskHash } from './risk-hashes.ts'
import { fixesToRiskPoints } from './risk-points.ts'
import { rowSorter } from './row-sorter.ts'

export interface Core {
  /** Hex SHA-256 of the loaded module; must equal the manifest's pin. */
  readonly sha256: string
  readonly build: Build
  /** The ids of a position in the three layers: the cell, then its two nearest corners, ascending. lng is periodic. */
  fixToCells(lat: number, lng: number): [Cell, Cell, Cell]
  /** Layer A alone, of many positions: what h3-js's `latLngToCell` gives at resolution 12. */
  latLngsToCells(lats: Float64Array, lngs: Float64Array): BigUint64Array
  /** 0 … 288121, of ids of any layer. */
  cellToRegion(cell: Cell): Region
  /** 0 … shards − 1. */
  regionToShard(region: Region, shards: number): number
  /** The ten time blocks of a time (Unix ms): sizes ascending, of each the current and the next. */
  timeToBlocks(at: number): TimeBlock[]
  /** Twelve bytes, of a 32-byte secret; the plain form, for tests and vectors. */
  riskHash(secret: Uint8Array, cell: Cell, size: number, n: number): Uint8Array
  /** All risk points of any number of fixes, each once, and the secrets needed to hash them. */
  fixesToRiskPoints(fixes: readonly Pick<Fix, 'lat' | 'lng' | 'at'>[], salting: Salting): RiskPoints
  /** Twelve bytes for each point; `secrets` holds 32 bytes for each entry of `points.needed`. */
  hashRiskPoints(points: RiskPoints, secrets: Uint8Array): Uint8Array
  /** SHA-256 of messages of `length` bytes laid end to end; 32 bytes each. */
  sha256Batch(messages: Uint8Array, length: number): Uint8Array
  /** HMAC-SHA256 of such messages under one key; 32 bytes each. */
  hmacBatch(key: Uint8Array, messages: Uint8Array, length: number): Uint8Array
  /** CRC-32 as in zlib; with `crc`, that of the bytes before, it goes on. */
  crc32(bytes: Uint8Array, crc?: number): number
  /** Rows of `width` bytes (12 … 256) laid end to end, ascending by their first twelve bytes; equal ones keep their order. */
  sortRows(rows: Uint8Array, width: number): Uint8Array
}

/** Loads the core. Throws FederationError CORE_UNSUPPORTED, CORE_MISMATCH or CORE_FAULT; RangeError for a bad `sortBytes`. */
export async function loadCore(options: CoreOptions = {}): Promise<Core> {
  const instance = await instantiate(options)
  const sorter = rowSorter()
  if (options.sortBytes !== undefined) sorter.reserve(options.sortBytes)
  return {
    sha256: instance.sha256,
    build: instance.build,
    fixToCells: (lat, lng) => fixToCells(instance, lat, lng),
    latLngsToCells: (lats, lngs) => latLngsToCells(instance, lats, lngs),
    cellToRegion: (cell) => cellToRegion(instance, cell),
    regionToShard,
    timeToBlocks: (at) => timeToBlocks(instance, at),
    riskHash: (secret, cell, size, n) => riskHash(instance, secret, cell, size, n),
    fixesToRiskPoints: (fixes, salting) => fixesToRiskPoints(instance, fixes, salting),
    hashRiskPoints: (points, secrets) => hashRiskPoints(instance, points, secrets),
    sha256Batch: (messages, length) => sha256Batch(instance, messages, length),
    hmacBatch: (key, messages, length) => hmacBatch(instance, key, messages, length),
    crc32: (bytes, crc = 0) => crc32(instance, bytes, crc),
    sortRows: sorter.sort,
  }
}
