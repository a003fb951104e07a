/** The error inside the importers that leaves out one entry. It never leaves the importers. */
import type { LeftOutReason } from '../receipt.ts'

export class EntryError extends Error {
  readonly reason: LeftOutReason

  constructor(reason: LeftOutReason, detail: string) {
    super(detail)
    this.reason = reason
  }
}

/** A value of a file as a message may quote it. */
export function quote(text: string): string {
  return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`
}
