/**
 * Sorts the rows of an epoch (12 bytes of hash and a word) with the core and in JavaScript. Every contender keeps its
 * scratch from one round to the next and returns a new array.
 */
import { interleaved, row, timed } from './rounds.js'

const COUNT = 1_000_000
const WIDTH = 16
const KEY_BYTES = 12
const WORDS = WIDTH / 4
const ROUNDS = 15
/** Rounds of the usual sort, which takes six seconds each. It is an anchor, not a rival. */
const COMPARE_ROUNDS = 2

export async function sortRows(core, progress) {
  const rows = new Uint8Array(COUNT * WIDTH)
  for (let at = 0; at < rows.length; at += 65_536) crypto.getRandomValues(rows.subarray(at, at + 65_536))
  const runs = {
    ours: () => core.sortRows(rows, WIDTH),
    indices: sorterOfIndices(COUNT),
    buckets: sorterByBuckets(COUNT),
    compare: byCompare,
  }
  progress('core: sort: checking …')
  const wanted = runs.ours()
  for (const [name, run] of Object.entries(runs)) {
    if (Buffer.compare(wanted, run(rows)) !== 0) throw new Error(`wrong order: ${name}`)
  }
  const contenders = Object.fromEntries(
    Object.entries(runs).map(([name, run]) => [
      name,
      (round) =>
        name === 'compare' && round >= COMPARE_ROUNDS ? Number.POSITIVE_INFINITY : timed(() => run(rows), COUNT).ns,
    ]),
  )
  const best = await interleaved(contenders, ROUNDS, (round) => progress(`core: sort: round ${round + 1} of ${ROUNDS}`))
  const name = 'sort of 10⁶ rows of 16 bytes'
  return [
    row(name, 'radix sort of (prefix, index), rows gathered', best.ours, best.indices),
    row(name, 'our algorithm in JavaScript, rows of four words', best.ours, best.buckets),
    row(name, 'Array sort by Buffer.compare', best.ours, best.compare),
  ]
}

/** Radix sort, least significant digit first, over the first 32 bits. Insertion sort orders the few equal prefixes. */
function sorterOfIndices(count) {
  let [keys, indexes, otherKeys, otherIndexes] = Array.from({ length: 4 }, () => new Uint32Array(count))
  const digits = [
    [0, 11],
    [11, 11],
    [22, 10],
  ].map(([shift, bits]) => ({ shift, mask: 2 ** bits - 1, counts: new Uint32Array(2 ** bits) }))
  return (rows) => {
    for (const { counts } of digits) counts.fill(0)
    const [first, second, third] = digits.map(({ counts }) => counts)
    for (let i = 0, at = 0; i < count; i++, at += WIDTH) {
      const key = ((rows[at] << 24) | (rows[at + 1] << 16) | (rows[at + 2] << 8) | rows[at + 3]) >>> 0
      keys[i] = key
      indexes[i] = i
      first[key & 2047]++
      second[(key >>> 11) & 2047]++
      third[key >>> 22]++
    }
    for (const { shift, mask, counts } of digits) {
      toPlaces(counts, 0)
      for (let i = 0; i < count; i++) {
        const key = keys[i]
        const to = counts[(key >>> shift) & mask]++
        otherKeys[to] = key
        otherIndexes[to] = indexes[i]
      }
      ;[keys, indexes, otherKeys, otherIndexes] = [otherKeys, otherIndexes, keys, indexes]
    }
    for (let i = 1; i < count; i++) {
      const [key, index] = [keys[i], indexes[i]]
      let to = i
      for (; to > 0 && keys[to - 1] === key && compareRows(rows, indexes[to - 1], index) > 0; to--) {
        indexes[to] = indexes[to - 1]
      }
      indexes[to] = index
    }
    const [from, sorted] = [wordsOf(rows), new Uint32Array(count * WORDS)]
    for (let i = 0, at = 0; i < count; i++) {
      const word = indexes[i] * WORDS
      sorted[at++] = from[word]
      sorted[at++] = from[word + 1]
      sorted[at++] = from[word + 2]
      sorted[at++] = from[word + 3]
    }
    return new Uint8Array(sorted.buffer)
  }
}

/** The algorithm of assembly/sorter.ts for uniform rows of 16 bytes only: nine bits, eleven bits, insertion. */
function sorterByBuckets(count) {
  const spare = new Uint32Array(count * WORDS)
  const [firsts, seconds] = [new Uint32Array(512), new Uint32Array(2048)]
  const firstOf = (word) => ((word & 0xff) << 1) | ((word >>> 15) & 1)
  const secondOf = (word) => ((word >>> 4) & 0x7f0) | ((word >>> 20) & 0xf)
  return (rows) => {
    const sorted = new Uint32Array(wordsOf(rows))
    scatter(sorted, spare, 0, sorted.length, firsts, firstOf)
    for (let bucket = 0, from = 0; bucket < firsts.length; bucket++) {
      const to = firsts[bucket]
      scatter(spare, sorted, from, to, seconds, secondOf)
      from = to
    }
    insertionSort(sorted)
    return new Uint8Array(sorted.buffer)
  }
}

/** Moves rows into buckets. Afterwards `counts` holds the end of each bucket. */
function scatter(from, to, start, end, counts, digitOf) {
  counts.fill(0)
  for (let at = start; at < end; at += WORDS) counts[digitOf(from[at])] += WORDS
  toPlaces(counts, start)
  for (let at = start; at < end; at += WORDS) {
    const digit = digitOf(from[at])
    copyRow(from, at, to, counts[digit])
    counts[digit] += WORDS
  }
}

function insertionSort(words) {
  const held = new Uint32Array(WORDS)
  for (let at = WORDS; at < words.length; at += WORDS) {
    if (!isAfter(words, at - WORDS, words, at)) continue
    copyRow(words, at, held, 0)
    let to = at
    do {
      copyRow(words, to - WORDS, words, to)
      to -= WORDS
    } while (to > 0 && isAfter(words, to - WORDS, held, 0))
    copyRow(held, 0, words, to)
  }
}

function copyRow(from, at, to, place) {
  to[place] = from[at]
  to[place + 1] = from[at + 1]
  to[place + 2] = from[at + 2]
  to[place + 3] = from[at + 3]
}

function isAfter(words, at, others, place) {
  for (let i = 0; i < KEY_BYTES / 4; i++) {
    const [word, other] = [words[at + i], others[place + i]]
    if (word !== other) return bigEndian(word) > bigEndian(other)
  }
  return false
}

/** The big-endian value of a word of the host. Every engine is little-endian. */
function bigEndian(word) {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0
}

function byCompare(rows) {
  const bytes = Buffer.from(rows.buffer)
  const views = Array.from({ length: rows.length / WIDTH }, (_, i) => bytes.subarray(i * WIDTH, (i + 1) * WIDTH))
  return Buffer.concat(views.sort((x, y) => x.compare(y, 0, KEY_BYTES, 0, KEY_BYTES)))
}

function compareRows(rows, x, y) {
  for (let i = 0; i < KEY_BYTES; i++) {
    const difference = rows[x * WIDTH + i] - rows[y * WIDTH + i]
    if (difference !== 0) return difference
  }
  return 0
}

function toPlaces(counts, start) {
  let next = start
  for (let digit = 0; digit < counts.length; digit++) {
    const size = counts[digit]
    counts[digit] = next
    next += size
  }
}

const wordsOf = (rows) => new Uint32Array(rows.buffer, rows.byteOffset, rows.length / 4)
