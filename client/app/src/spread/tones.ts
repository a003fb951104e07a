/** Five tones for the numbers of people in a cell. Each begins at twice the number of the one before. Pure. */

export const TONES = 5

/** 0 for a count at the threshold, 4 from sixteen thresholds on. */
export function toTone(count: number, threshold: number): number {
  return Math.max(0, Math.min(TONES - 1, Math.floor(Math.log2(count / threshold))))
}

/** The counts of each tone: from, and until before; undefined for the last. */
export function toneRanges(threshold: number): { from: number; until: number | undefined }[] {
  return Array.from({ length: TONES }, (_, i) => ({
    from: threshold * 2 ** i,
    until: i === TONES - 1 ? undefined : threshold * 2 ** (i + 1),
  }))
}
