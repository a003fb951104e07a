/**
 * The public functions of the core. PROTOCOL.md §3. A function checks its arguments (TypeError, RangeError), copies them
 * into the module's areas, calls the module, copies the result out and wipes the areas. All functions are synchronous,
 * and the module allocates nothing.
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
  /** Hex SHA-256 of the loaded module. It must equal the hash in the manifest. */
  readonly sha256: string
  readonly build: Build
  /** The ids of a position: the cell of layer A, then its two nearest corners, ascending. lng is periodic. */
  fixToCells(lat: number, lng: number): [Cell, Cell, Cell]
  /** Layer A of many positions, equal to `latLngToCell` of h3-js at resolution 12. */
  latLngsToCells(lats: Float64Array, lngs: Float64Array): BigUint64Array
  /** The region, 0 … 288121, of an id of any layer. */
  cellToRegion(cell: Cell): Region
  /** The shard of a region, 0 … shards − 1. */
  regionToShard(region: Region, shards: number): number
  /** The ten time blocks of a time (Unix ms): sizes ascending, for each size the current block and the next. */
  timeToBlocks(at: number): TimeBlock[]
  /** The risk hash of one point and a 32-byte secret, 12 bytes. For tests and vectors. */
  riskHash(secret: Uint8Array, cell: Cell, size: number, n: number): Uint8Array
  /** The distinct risk points of any number of fixes, and the secrets needed to hash them. */
  fixesToRiskPoints(fixes: readonly Pick<Fix, 'lat' | 'lng' | 'at'>[], salting: Salting): RiskPoints
  /** The risk hashes, 12 bytes for each point. `secrets` holds 32 bytes for each entry of `points.needed`. */
  hashRiskPoints(points: RiskPoints, secrets: Uint8Array): Uint8Array
  /** SHA-256 of each message of `length` bytes, laid end to end; 32 bytes each. */
  sha256Batch(messages: Uint8Array, length: number): Uint8Array
  /** HMAC-SHA256 under one key of each message of `length` bytes, laid end to end; 32 bytes each. */
  hmacBatch(key: Uint8Array, messages: Uint8Array, length: number): Uint8Array
  /** CRC-32 as in zlib. `crc` is the sum of the bytes before. */
  crc32(bytes: Uint8Array, crc?: number): number
  /** Sorts rows of `width` bytes (12 … 256), laid end to end, by their first 12 bytes. Equal rows keep their order. */
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
