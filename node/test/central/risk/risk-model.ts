/**
 * A reference model of the risk rule (PROTOCOL.md §8) that shares no code with risk.ts. The model walks every chain of
 * people from the reporter and compares every pair of rows. Its time is exponential, so worlds have a few people only.
 */
export interface ModelRow {
  user: number
  epoch: number
  /** Takes the place of the hash. */
  spot: number
  size: number
  current: boolean
  next: boolean
}
export interface ModelRule {
  degrees: number
  thresholds: number[]
  latencyEpochs: number
  same: number
  trail: number
  chainMinutes: number
  sizes: Record<number, number>
}
export interface ModelMark {
  degree: number
  weight: number
  lag: number
}

/** The marks of all users; keys are `user/epoch/spot`. */
export function modelMarks(
  rows: ModelRow[],
  report: { user: number; from: number; until: number },
  rule: ModelRule,
): Map<string, ModelMark> {
  const people = [...new Set(rows.map(({ user }) => user))]
  const merged: ModelRow[] = []
  for (const row of rows) {
    const same = merged.find((item) => item.user === row.user && item.epoch === row.epoch && item.spot === row.spot)
    if (same === undefined) merged.push({ ...row })
    else {
      same.current = same.current || row.current
      same.next = same.next || row.next
    }
  }
  const counted = merged.filter(({ epoch }) => epoch >= report.from && epoch <= report.until)
  const marks = new Map<string, ModelMark>()

  const walk = (chain: number[], from: number): void => {
    const degree = chain.length
    if (degree > rule.degrees) return
    const source = chain.at(-1)!
    for (const target of people) {
      // The rule only promises that a chain does not go straight back; up to degree 3 all its people are different.
      if (target === source || target === report.user || target === chain.at(-2)) continue
      const matches: (ModelMark & { epoch: number; spot: number; size: number })[] = []
      for (const x of counted) {
        for (const y of counted) {
          if (x.user !== source || y.user !== target || x.epoch !== y.epoch || x.spot !== y.spot || !y.current) continue
          if (x.current ? x.epoch < from : !x.next || x.epoch <= from) continue
          const weight = (x.current ? rule.same : rule.trail) * rule.sizes[y.size]!
          if (weight === 0 || (degree > 1 && y.size > rule.chainMinutes)) continue
          matches.push({ epoch: y.epoch, spot: y.spot, size: y.size, degree, weight, lag: x.current ? 0 : 1 })
        }
      }
      const threshold = rule.thresholds[Math.min(degree, rule.thresholds.length) - 1]!
      const crossing = (some: typeof matches): number | undefined => {
        let score = 0
        for (const match of some.sort((a, b) => a.epoch - b.epoch)) {
          score += match.weight
          if (score >= threshold) return match.epoch
        }
        return undefined
      }
      if (crossing(matches) === undefined) continue
      for (const { epoch, spot, size: _, ...mark } of matches) {
        const key = `${target}/${epoch}/${spot}`
        const known = marks.get(key)
        // Lower degree, then more weight, then the same block.
        const isGraver = (than: ModelMark) =>
          mark.degree !== than.degree
            ? mark.degree < than.degree
            : mark.weight !== than.weight
              ? mark.weight > than.weight
              : mark.lag < than.lag
        if (known === undefined || isGraver(known)) {
          marks.set(key, mark)
        }
      }
      // Only short blocks carry the risk on.
      const carried = crossing(matches.filter(({ size }) => size <= rule.chainMinutes))
      if (carried !== undefined) walk([...chain, target], carried + rule.latencyEpochs)
    }
  }
  walk([report.user], report.from)
  return marks
}
