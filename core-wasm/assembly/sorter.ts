// Sorts rows of one width by their first twelve bytes, as big-endian numbers; equal ones stay in their order. A module of
// its own, because its memory is as large as the rows: the host grows it (src/row-sorter.ts) and checks what it passes; what
// does not fit traps all the same. Zero imports.
//
// Most significant digit first: rows are counted by a digit and moved into its buckets in the other buffer, then each
// bucket by the next digit, back and forth. Where only few rows are left to a bucket, insertion sort ends it. Hashes are
// uniform, so two digits do; rows with long prefixes in common take more, never more than twelve.

const KEY_BITS: u32 = 96
/** At least eight bits each, hence at most twelve digits. */
const LEVELS: u32 = 12
const DIGIT_BITS_MIN: u32 = 8
const DIGIT_BITS_MAX: u32 = 11
/** Of more rows than fit a level-2 cache: the end of every bucket should fit the level-1 cache instead. */
const DIGIT_BITS_OF_MANY: u32 = 9
const MANY: u32 = 1 << 17
/** Rows that insertion sorts faster than another digit. */
const FEW: u32 = 24

export const WIDTH_MIN: u32 = 12
export const WIDTH_MAX: u32 = 256
/** Bytes that are read past the last row. */
export const SLACK: u32 = 8

const COUNTS_BYTES: u32 = 4 << DIGIT_BITS_MAX
/** Of each level: first how many rows each bucket takes, then where its next row goes. */
const COUNTS: usize = memory.data(LEVELS * COUNTS_BYTES, 16)
const HELD: usize = memory.data(WIDTH_MAX, 16)

/** From here on the memory is the host's to lay out. */
export const ROWS: usize = __heap_base

/** Sorts `count` rows at `rows`; as many bytes at `spare`, which lies behind them, are overwritten. */
export function sortRows(rows: usize, spare: usize, count: u32, width: u32): void {
  if (width < WIDTH_MIN || width > WIDTH_MAX || rows < ROWS) unreachable()
  // In 64 bits, where nothing wraps.
  const room = <u64>count * width + SLACK
  if (<u64>rows + room > spare || <u64>spare + room > <u64>memory.size() << 16) unreachable()
  sortRange(rows, spare, count, width, 0, 0)
}

/** Rows that agree in their first `bit` bits. On odd levels they lie in the spare buffer and belong in the other. */
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
    // All buckets at once: no row passes the start of its own.
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

/** About one row a bucket, within bounds. */
function digitBits(count: u32): u32 {
  if (count > MANY) return DIGIT_BITS_OF_MANY
  return min(max(32 - clz(count), DIGIT_BITS_MIN), DIGIT_BITS_MAX)
}

/** Turns the sizes of buckets into the places of their first rows; gives the largest size. */
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

/** In words of eight bytes, the last of which may overlap the one before. The two may not. */
@inline
function copyRow(from: usize, to: usize, width: u32): void {
  const tail = width - 8
  const first = load<u64>(from)
  const last = load<u64>(from + tail)
  store<u64>(to, first)
  for (let i: u32 = 8; i < tail; i += 8) store<u64>(to + i, load<u64>(from + i))
  store<u64>(to + tail, last)
}
