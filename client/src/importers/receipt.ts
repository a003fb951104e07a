/**
 * The receipt of an import: every entry of the file is either kept or left out for one of the reasons below. An entry is
 * a part of a file that may hold a fix: a point, a row, a record.
 */
import type { Fix } from '@geotrace/core-wasm'

/** Why an entry was left out. The names are stable within a major version. */
export const LEFT_OUT_REASONS = [
  /** The entry holds something else by design: a visit, a WiFi scan, an area. */
  'no-fix',
  'no-time',
  /** The position is missing or empty, or its accuracy is negative, which receivers write for an invalid position. */
  'no-position',
  /** The position is 0, 0, which receivers write before their first fix. */
  'position-zero',
  'position-unreadable',
  'position-impossible',
  'time-unreadable',
  'time-impossible',
  /** The entry has two different times. */
  'time-ambiguous',
  'accuracy-unreadable',
  /** The entry has another shape than its neighbours, such as a row with one column more. */
  'malformed',
  /** Older than the option `since`. */
  'too-old',
] as const
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number]

/** Reasons that say nothing against a file. Loggers write such entries while they search for satellites. */
export const FAULTLESS: ReadonlySet<LeftOutReason> = new Set([
  'no-fix',
  'no-time',
  'no-position',
  'position-zero',
  'too-old',
])

export interface LeftOut {
  /** 0 where the format has no lines. */
  line: number
  reason: LeftOutReason
  /** A sentence for the user. In JSON the sentence begins with the path. */
  detail: string
}

export interface ImportReceipt {
  /** `entries` is the sum of `kept` and of all counts in `leftOut`. */
  entries: number
  kept: number
  leftOut: Partial<Record<LeftOutReason, number>>
  /** The first entry left out for each reason, in the order of the file. */
  first: LeftOut[]
  /** Kept fixes whose time names no zone. Their times were read as UTC. */
  assumedUtc: number
  /** Kept fixes whose accuracy the file does not know. */
  unknownAccuracy: number
  /** True when the file ends in the middle. All that stands before the end was read. */
  cutOff: boolean
}

export interface ImportResult {
  /** Oldest first. */
  fixes: Fix[]
  receipt: ImportReceipt
}
