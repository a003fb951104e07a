/**
 * The words of the domain as types. PROTOCOL.md §1. A unit is part of the name or stated here: degrees WGS84, metres, Unix
 * milliseconds, minutes for the size of a time block.
 */

/** One position reading. */
export interface Fix {
  /** Degrees WGS84, -90 … 90. */
  readonly lat: number
  /** Degrees WGS84; any finite number, periodic. */
  readonly lng: number
  /** Radius in metres as the receiver states it; undefined when it states none. */
  readonly accuracyM?: number | undefined
  /** Unix milliseconds. */
  readonly at: number
}

/** Id of one hexagon of layer A (an H3 cell), B or C (an H3 vertex): 64 bits. */
export type Cell = bigint

/** Dense number, 0 … 288121, of the ~50 km block of a cell. The region determines the shard and is never hashed. */
export type Region = number

/** Minutes. */
export type BlockSize = 5 | 10 | 20 | 40 | 80

/** 0: the block that holds the time; 1: the block after it. */
type Lag = 0 | 1

/** `[n·size, (n + 1)·size)` in Unix minutes. */
export interface TimeBlock {
  readonly size: BlockSize
  readonly n: number
  readonly lag: Lag
}

/** The way in which salts are made, chosen in the manifest. PROTOCOL.md §5. */
export type Salting = 'plain' | 'threshold'

/** The secrets that hashing needs: a salt for each (region, size, n), or a key for each (cell, epoch). */
export type NeededSecrets =
  | {
      readonly salting: 'plain'
      readonly count: number
      readonly regions: Uint32Array
      readonly sizes: Uint8Array
      readonly blocks: Uint32Array
    }
  | {
      readonly salting: 'threshold'
      readonly count: number
      readonly cells: BigUint64Array
      readonly epochs: Uint32Array
    }

/**
 * The risk points of some fixes as a struct of arrays, each (cell, size, n) once, with all its lags. Points and needed
 * secrets stand in the order of their first appearance: by fix, layers A, B, C, sizes ascending, then current before
 * next.
 */
export interface RiskPoints {
  readonly count: number
  readonly cells: BigUint64Array
  /** Minutes. */
  readonly sizes: Uint8Array
  /** n of each time block. */
  readonly blocks: Uint32Array
  /** Bit 0: the point was a current block; bit 1: the point was a next block. */
  readonly lags: Uint8Array
  /** For each point, the index of its secret in `needed`. */
  readonly secretIndex: Uint32Array
  readonly needed: NeededSecrets
  /** For each fix, the indices of its 30 points in the order [layer 3][size 5][lag 2]. */
  readonly ofFix: Uint32Array
}
