/**
 * Reads `NaN`, `Infinity` and `-Infinity` as `null`. Python and JavaScript loggers write them, though JSON has no such
 * numbers. A word counts only between the signs that surround a value.
 */

const encode = (text: string) => new TextEncoder().encode(text)
/** By their first byte that no other JSON value begins with, outside of texts. */
const WORDS = [encode('NaN'), encode('Infinity')]
const NULL = encode('null')
const MINUS = 0x2d
const BEFORE = new Set(encode(':[,'))
const AFTER = new Set(encode(',]} \t\r\n'))
const BLANKS = new Set(encode(' \t\r\n'))
/** `-Infinity` and the byte after it. */
const CARRY_BYTES = 10

interface ByteFilter {
  write(bytes: Uint8Array): Uint8Array[]
  /** The bytes that were kept for the next chunk. */
  end(): Uint8Array[]
}

export function withoutNaN(): ByteFilter {
  let rest = new Uint8Array(0)
  /** The last byte of the output that is no blank. */
  let last = 0

  function emit(part: Uint8Array): Uint8Array {
    for (let i = part.length - 1; i >= 0; i--) {
      if (BLANKS.has(part[i]!)) continue
      last = part[i]!
      break
    }
    return part
  }

  function filter(all: Uint8Array, limit: number): Uint8Array[] {
    const parts: Uint8Array[] = []
    let from = 0
    for (const { start, end } of findWords(all, limit)) {
      parts.push(emit(all.subarray(from, start)))
      parts.push(BEFORE.has(last) ? emit(NULL) : emit(all.subarray(start, end)))
      from = end
    }
    const to = Math.max(from, limit)
    parts.push(emit(all.subarray(from, to)))
    rest = all.slice(to)
    return parts
  }

  return {
    write(bytes) {
      const all = new Uint8Array(rest.length + bytes.length)
      all.set(rest)
      all.set(bytes, rest.length)
      return filter(all, Math.max(0, all.length - CARRY_BYTES))
    },
    end: () => filter(rest, rest.length),
  }
}

/** Words that begin before `limit`, in order. */
function findWords(bytes: Uint8Array, limit: number): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  for (const word of WORDS) {
    for (let at = bytes.indexOf(word[0]!); at >= 0; at = bytes.indexOf(word[0]!, at + 1)) {
      const start = at > 0 && bytes[at - 1] === MINUS ? at - 1 : at
      const end = at + word.length
      if (start >= limit) break
      if (word.every((byte, i) => bytes[at + i] === byte) && AFTER.has(bytes[end] ?? 0)) found.push({ start, end })
    }
  }
  return found.sort((a, b) => a.start - b.start)
}
