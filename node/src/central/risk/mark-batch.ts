/**
 * The marks of one computation in memory, as bytes, bounded. PROTOCOL.md §8. When they are too many, the batch keeps the
 * users with the lowest numbers and leaves the others to the next batch. So every batch holds all marks of its users.
 */
import { MARK_BYTES, type Mark } from '@geotrace/core-wasm/wire'
import type { User } from '../store/central-store.ts'
import { decodeMarks, putMark } from '../store/codecs.ts'

export interface MarkBatch {
  /** Users above this one, up to `upTo`, which is undefined when the batch holds all of the rest. */
  readonly after: User
  readonly upTo: User | undefined
  /** Ascending. */
  users(): User[]
  /** The user's marks in the order of adding. */
  marks(user: User): Mark[]
  count(user: User): number
  /** The number of users by the least degree of their marks: at degree 1, 2 and so on. */
  people(): number[]
  /** Whether the user belongs to this batch. */
  takes(user: User): boolean
  add(user: User, mark: Mark): void
}

interface Bytes {
  bytes: Uint8Array
  count: number
  /** The least of the marks. */
  degree: number
}

const FIRST_MARKS = 8
const GROWTH = 1.5

/** `most`: the last user of the batch; undefined for all of the rest. */
export function markBatch(after: User, marksMax: number, most?: User): MarkBatch {
  const kept = new Map<User, Bytes>()
  let total = 0
  let upTo = most
  const users = (): User[] => [...kept.keys()].sort((a, b) => a - b)
  const takes = (user: User): boolean => user > after && (upTo === undefined || user <= upTo)

  /** Keeps the lowest users, so that half of the room is free. One user stays, because a user's marks are bounded. */
  const shrink = (): void => {
    let sum = 0
    const isFitting = (user: User): boolean => {
      sum += kept.get(user)!.count
      return sum <= marksMax / 2
    }
    const [first, ...others] = users()
    isFitting(first!)
    const cut = others.findIndex((user) => !isFitting(user))
    if (cut < 0) return
    upTo = cut === 0 ? first : others[cut - 1]
    for (const user of others.slice(cut)) {
      total -= kept.get(user)!.count
      kept.delete(user)
    }
  }
  return {
    after,
    get upTo() {
      return upTo
    },
    users,
    marks: (user) => {
      const item = kept.get(user)
      return item === undefined ? [] : decodeMarks(item.bytes.subarray(0, item.count * MARK_BYTES))
    },
    count: (user) => kept.get(user)?.count ?? 0,
    people() {
      const people: number[] = []
      for (const { degree } of kept.values()) people[degree - 1] = (people[degree - 1] ?? 0) + 1
      return Array.from(people, (count) => count ?? 0)
    },
    takes,
    add(user, mark) {
      const item = kept.get(user) ?? { bytes: new Uint8Array(FIRST_MARKS * MARK_BYTES), count: 0, degree: mark.degree }
      kept.set(user, item)
      const at = item.count * MARK_BYTES
      if (at === item.bytes.length) {
        const larger = new Uint8Array(Math.ceil(item.count * GROWTH) * MARK_BYTES)
        larger.set(item.bytes)
        item.bytes = larger
      }
      putMark(item.bytes, at, mark)
      item.count++
      item.degree = Math.min(item.degree, mark.degree)
      total++
      if (total > marksMax) shrink()
    },
  }
}
