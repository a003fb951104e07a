// Sorts rows of one width by their first 12 bytes as big-endian numbers. Equal rows keep their order. The sorter is a
// module of its own, because its memory is as large as the rows. The host (src/core/row-sorter.ts) grows the memory and
// checks its arguments; a row that does not fit traps. The module has no imports.
//
// The sort takes the most significant digit first. It counts rows by a digit and moves them into buckets in the other
// buffer. The next digit sorts each bucket back into the first buffer, and so on. Insertion sort ends a bucket of few
// rows. Hashes are uniform, so two digits suffice. Rows with long common prefixes take more, at most twelve.

const KEY_BITS: u32 = 96
/** Digits of a key: each has at least eight bits, so there are at most twelve. */
const LEVELS: u32 = 12
const DIGIT_BITS_MIN: u32 = 8
const DIGIT_BITS_MAX: u32 = 11
/** Bits of a digit for more rows than fit a level-2 cache, so that the ends of all buckets fit the level-1 cache. */
const DIGIT_BITS_OF_MANY: u32 = 9
const MANY: u32 = 1 << 17
/** Up to this many rows, insertion sort is faster than another digit. */
const FEW: u32 = 24

export const WIDTH_MIN: u32 = 12
export const WIDTH_MAX: u32 = 256
/** Bytes that the sort reads past the last row. */
export const SLACK: u32 = 8

const COUNTS_BYTES: u32 = 4 << DIGIT_BITS_MAX
/** For each level: first the number of rows of each bucket, then the place of its next row. */
const COUNTS: usize = memory.data(LEVELS * COUNTS_BYTES, 16)
const HELD: usize = memory.data(WIDTH_MAX, 16)

/** From this address on, the host lays out the memory. */
export const ROWS: usize = __heap_base

/** Sorts `count` rows at `rows`. Overwrites as many bytes at `spare`, which lies above them. */
export function sortRows(rows: usize, spare: usize, count: u32, width: u32): void {
  if (width < WIDTH_MIN || width > WIDTH_MAX || rows < ROWS) unreachable()
  // In 64 bits, because 32 bits could wrap.
  const room = <u64>count * width + SLACK
  if (<u64>rows + room > spare || <u64>spare + room > <u64>memory.size() << 16) unreachable()
  sortRange(rows, spare, count, width, 0, 0)
}

/** Sorts rows that agree in their first `bit` bits. On odd levels they lie in the spare buffer and move to the other. */
function sortRange(rows: usize, spare: usize, count: u32, width: u32, bit: u32, level: u32): void {
  const isAway = level & 1
  if (count <= FEW || bit == KEY_BITS) {
    if (bit < KEY_BITS) insertionSort(rows, count, width)
    if (isAway) memory.copy(spare, rows, count * width)
    return
  }
  const bits = min(digitBits(count), KEY_BITS - bit)
  const counts = COUNTS + level * COUNTS_BYTES
  const countsEnd = counts + (<usize>4 << bits)
  const end = rows + count * width
  memory.fill(counts, 0, countsEnd - counts)
  for (let row = rows; row < end; row += width) {
    const at = counts + (digitOf(row, bit, bits) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  const most = toPlaces(counts, countsEnd, spare, width)
  for (let row = rows; row < end; row += width) {
    const at = counts + (digitOf(row, bit, bits) << 2)
    const to = load<u32>(at)
    copyRow(row, to, width)
    store<u32>(at, to + width)
  }
  if (most <= FEW) {
    // One insertion sort for all buckets: no row passes the start of its own bucket.
    insertionSort(spare, count, width)
    if (!isAway) memory.copy(rows, spare, count * width)
    return
  }
  let from = spare
  for (let at = counts; at < countsEnd; at += 4) {
    const to = <usize>load<u32>(at)
    if (to > from) sortRange(from, rows + (from - spare), <u32>(to - from) / width, width, bit + bits, level + 1)
    from = to
  }
}

/** Bits of a digit for about one row in each bucket, within bounds. */
function digitBits(count: u32): u32 {
  if (count > MANY) return DIGIT_BITS_OF_MANY
  return min(max(32 - clz(count), DIGIT_BITS_MIN), DIGIT_BITS_MAX)
}

/** Turns the sizes of buckets into the places of their first rows. Returns the largest size. */
function toPlaces(counts: usize, countsEnd: usize, start: usize, width: u32): u32 {
  let next = <u32>start
  let most: u32 = 0
  for (let at = counts; at < countsEnd; at += 4) {
    const size = load<u32>(at)
    store<u32>(at, next)
    next += size * width
    most = max(most, size)
  }
  return most
}

function insertionSort(rows: usize, count: u32, width: u32): void {
  const end = rows + count * width
  let high = keyHigh(rows)
  for (let row = rows + width; row < end; row += width) {
    const before = high
    high = keyHigh(row)
    if (high > before) continue
    const low = keyLow(row)
    if (high == before && low >= keyLow(row - width)) continue
    copyRow(row, HELD, width)
    let to = row
    do {
      copyRow(to - width, to, width)
      to -= width
    } while (to > rows && isAfter(to - width, high, low))
    copyRow(HELD, to, width)
    high = before
  }
}

@inline
function digitOf(row: usize, bit: u32, bits: u32): u32 {
  return <u32>((bswap<u64>(load<u64>(row + (bit >> 3))) << (bit & 7)) >> (64 - bits))
}

@inline
function isAfter(row: usize, high: u64, low: u32): bool {
  const other = keyHigh(row)
  return other > high || (other == high && keyLow(row) > low)
}

@inline
function keyHigh(row: usize): u64 {
  return bswap<u64>(load<u64>(row))
}

@inline
function keyLow(row: usize): u32 {
  return bswap<u32>(load<u32>(row, 8))
}

/** Copies words of eight bytes. The last word may overlap the word before; source and target may not overlap. */
@inline
function copyRow(from: usize, to: usize, width: u32): void {
  const tail = width - 8
  const first = load<u64>(from)
  const last = load<u64>(from + tail)
  store<u64>(to, first)
  for (let i: u32 = 8; i < tail; i += 8) store<u64>(to + i, load<u64>(from + i))
  store<u64>(to + tail, last)
}
