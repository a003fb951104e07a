/**
 * The words of the domain as types. PROTOCOL.md §1. Units are part of a name or stated here: degrees WGS84, metres,
 * Unix milliseconds, minutes for the size of a time block.
 */

/** One position reading. */
export interface Fix {
  /** Degrees WGS84, -90 … 90. */
  readonly lat: number
  /** Degrees WGS84; any finite number, periodic. */
  readonly lng: number
  /** Radius in metres that the receiver states; undefined when it states none. */
  readonly accuracyM?: number | undefined
  /** Unix milliseconds. */
  readonly at: number
}

/** Id of one hexagon of layer A (an H3 cell), B or C (an H3 vertex): 64 bits. */
export type Cell = bigint

/** Dense number, 0 … 288121, of the ~50 km block that holds a cell's owner. Finds the shard; is never hashed. */
export type Region = number

/** Minutes. */
export type BlockSize = 5 | 10 | 20 | 40 | 80

/** 0: the block that holds the time; 1: the one after it. */
export type Lag = 0 | 1

/** `[n·size, (n + 1)·size)` in Unix minutes. */
export interface TimeBlock {
  readonly size: BlockSize
  readonly n: number
  readonly lag: Lag
}

/** How salts are made; the manifest's choice. PROTOCOL.md §5. */
export type Salting = 'plain' | 'oblivious' | 'threshold'

/** The secrets that hashing needs, one for each place and time: a salt of (region, size, n), or a cell's key for an epoch. */
export type NeededSecrets =
  | {
      readonly salting: 'plain'
      readonly count: number
      readonly regions: Uint32Array
      readonly sizes: Uint8Array
      readonly blocks: Uint32Array
    }
  | {
      readonly salting: 'oblivious' | 'threshold'
      readonly count: number
      readonly cells: BigUint64Array
      readonly epochs: Uint32Array
    }

/**
 * The risk points of some fixes as a struct of arrays, each (cell, size, n) once, with the lags it was seen with. Points
 * and needed secrets stand in the order in which going through the fixes, then layers A, B, C, then sizes ascending,
 * then current and next, first meets them.
 */
export interface RiskPoints {
  readonly count: number
  readonly cells: BigUint64Array
  /** Minutes. */
  readonly sizes: Uint8Array
  /** n of each time block. */
  readonly blocks: Uint32Array
  /** Bit 0: seen as the current block, bit 1: as the next one. */
  readonly lags: Uint8Array
  /** For each point its place in `needed`. */
  readonly secretIndex: Uint32Array
  readonly needed: NeededSecrets
  /** Thirty per fix, in the order [layer 3][size 5][lag 2]: its points. */
  readonly ofFix: Uint32Array
}
