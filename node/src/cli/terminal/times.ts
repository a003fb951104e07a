/** Times as text for people, always with their zone. Pure. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const

/** `2026-11-21 10:30 UTC` */
export function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `Saturday 2026-11-21 10:30 UTC` */
export function weekday(ms: number): string {
  return `${DAYS[new Date(ms).getUTCDay()]} ${minute(ms)}`
}
