/** Interleaved timing: each contender runs once in every round, so that a disturbance of the machine hits all alike. */

/** Nanoseconds that `run` takes, divided by `per`. */
export function timed(run, per) {
  const start = process.hrtime.bigint()
  const result = run()
  return { ns: Number(process.hrtime.bigint() - start) / per, result }
}

/** The minimum over `rounds` rounds of each contender: name → (round) → ns or a promise of it. */
export async function interleaved(contenders, rounds, progress) {
  const best = Object.fromEntries(Object.keys(contenders).map((name) => [name, Number.POSITIVE_INFINITY]))
  for (let round = 0; round < rounds; round++) {
    progress(round)
    for (const [name, run] of Object.entries(contenders)) best[name] = Math.min(best[name], await run(round))
  }
  return best
}

export const row = (name, against, ours, theirs) => ({ name, against, ratio: theirs / ours, ours, theirs })
