/** Numbers, durations and sizes as text for people. Pure. */
import { DAY_MS, HOUR_MS } from '@geotrace/core-wasm/wire'

const MINUTE_MS = 60_000

/** `3 d 4 h`, `2 h 5 min`, `7 min`, `12 s`. */
export function span(ms: number): string {
  const value = Math.max(0, ms)
  if (value < MINUTE_MS) return `${Math.round(value / 1000)} s`
  if (value < HOUR_MS) return `${Math.floor(value / MINUTE_MS)} min`
  if (value < DAY_MS) return `${Math.floor(value / HOUR_MS)} h ${Math.floor((value % HOUR_MS) / MINUTE_MS)} min`
  return `${Math.floor(value / DAY_MS)} d ${Math.floor((value % DAY_MS) / HOUR_MS)} h`
}

/** `12 345`, with narrow spaces, because commas and dots mean different things in different countries. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** A clock offset with its sign: `+38 ms`, `−9.0 s`. */
export function offset(ms: number): string {
  const sign = ms > 0 ? '+' : ms < 0 ? '−' : '±'
  const size = Math.abs(ms)
  return size < 1_000 ? `${sign}${size} ms` : `${sign}${(size / 1000).toFixed(1)} s`
}

/** A clock offset in words. */
export function clockText(offsetMs: number): string {
  if (offsetMs === 0) return 'equal to the median of the peers'
  return `${offset(Math.abs(offsetMs)).slice(1)} ${offsetMs > 0 ? 'ahead of' : 'after'} the median of the peers`
}

/** `212 MiB`, `20.0 GiB`. */
export function mebibytes(bytes: number): string {
  const mib = Math.round(bytes / (1 << 20))
  return mib < 1_024 ? `${mib} MiB` : `${(mib / 1_024).toFixed(1)} GiB`
}

/** `0.3 MB`, `1.2 GB`. */
export function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}

/** `1 peer`, `3 peers`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}
