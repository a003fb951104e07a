/** Times as text for people, always with their zone. Pure. */

/** `2026-11-21 10:30 UTC` */
export function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
