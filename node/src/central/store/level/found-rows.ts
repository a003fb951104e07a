/**
 * The answers of recent probes. A report that is computed again then reads only the epochs that changed. PROTOCOL.md §8. An
 * answer holds as long as the rows of its epoch stay as they are. Bounded by bytes: the oldest answers leave first.
 */
import { createHash } from 'node:crypto'
import type { UserRows } from '../central-store.ts'

const BYTES_MAX = 16 << 20
/** A larger answer is not kept: computing with it takes longer than reading it. */
const ANSWER_BYTES_MAX = 64 << 10
/** The bytes around an answer, and around each user in it. */
const [ANSWER_BYTES, USER_BYTES] = [256, 128]

interface Answer {
  readonly version: number
  readonly rows: readonly UserRows[]
  readonly bytes: number
}

export class FoundRows {
  readonly #answers = new Map<string, Answer>()
  #bytes = 0

  get(key: string, version: number): readonly UserRows[] | undefined {
    const known = this.#answers.get(key)
    if (known === undefined || known.version === version) return known?.rows
    this.#delete(key, known)
    return undefined
  }

  set(key: string, version: number, rows: readonly UserRows[]): void {
    const bytes = rows.reduce((sum, item) => sum + USER_BYTES + item.rows.length, ANSWER_BYTES)
    if (bytes > ANSWER_BYTES_MAX) return
    const known = this.#answers.get(key)
    if (known !== undefined) this.#delete(key, known)
    this.#answers.set(key, { version, rows, bytes })
    this.#bytes += bytes
    for (const [oldest, answer] of this.#answers) {
      if (this.#bytes <= BYTES_MAX) break
      this.#delete(oldest, answer)
    }
  }

  #delete(key: string, { bytes }: Answer): void {
    this.#answers.delete(key)
    this.#bytes -= bytes
  }
}

/** Names a probe: its epoch and its hashes. */
export function probeToKey(epoch: number, hashes: Uint8Array): string {
  return `${epoch} ${createHash('sha256').update(hashes).digest('base64')}`
}
