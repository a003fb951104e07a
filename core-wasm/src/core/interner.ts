/**
 * Numbers distinct triples of 32-bit words 0, 1, 2 … in the order of their first appearance. It uses open addressing over
 * typed arrays, so that the thousands of look-ups of a day of fixes make no garbage. A part of gathering.ts.
 */
export interface Interner {
  readonly count: number
  /** The number of (x, y, z); a new number for a new triple. */
  intern(x: number, y: number, z: number): number
  /** Word 0, 1 or 2 of all triples, in order. */
  column(word: 0 | 1 | 2): Uint32Array
}

const CAPACITY_MIN = 64

/** `expected` is a guess of the number of triples, which saves growing. */
export function interner(expected = 0): Interner {
  let count = 0
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(expected, CAPACITY_MIN)))
  let words = new Uint32Array(capacity * 3)
  // Twice the capacity, so at most half of the slots are used. 0 means empty, else the number plus one.
  let slots = new Uint32Array(capacity * 2)

  /** The slot that holds the triple, or the empty one where it belongs. */
  function find(x: number, y: number, z: number): number {
    const mask = slots.length - 1
    let slot = hash(x, y, z) & mask
    for (let number = slots[slot]!; number !== 0; number = slots[slot]!) {
      const at = (number - 1) * 3
      if (words[at] === x && words[at + 1] === y && words[at + 2] === z) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  function grow(): void {
    const old = words
    words = new Uint32Array(old.length * 2)
    words.set(old)
    slots = new Uint32Array(slots.length * 2)
    for (let i = 0; i < count; i++) slots[find(old[i * 3]!, old[i * 3 + 1]!, old[i * 3 + 2]!)] = i + 1
  }

  return {
    get count() {
      return count
    },
    intern(x, y, z) {
      let slot = find(x, y, z)
      const known = slots[slot]!
      if (known !== 0) return known - 1
      if (count * 3 === words.length) {
        grow()
        slot = find(x, y, z)
      }
      words[count * 3] = x
      words[count * 3 + 1] = y
      words[count * 3 + 2] = z
      slots[slot] = ++count
      return count - 1
    },
    column(word) {
      const found = new Uint32Array(count)
      for (let i = 0; i < count; i++) found[i] = words[i * 3 + word]!
      return found
    },
  }
}

/** Multiplies and folds three words, because ids differ in a few middle bits and block numbers in the lowest bits. */
function hash(x: number, y: number, z: number): number {
  let h = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b) ^ Math.imul(z, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
