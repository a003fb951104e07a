/** Numbers and times as text. Pure. */
export function count(value: number): string {
  return value.toLocaleString('en')
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** `2026-11-21 10:30 UTC` */
export function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** The largest unit that fits: `3 hours`. */
export function span(ms: number): string {
  const [name, unit] = UNITS.find(([, size]) => ms >= size) ?? UNITS[3]
  return plural(Math.round(ms / unit), name)
}

export function mebibytes(mib: number): string {
  return mib < 1_024 ? `${count(mib)} MiB` : `${(mib / 1_024).toFixed(1)} GiB`
}
