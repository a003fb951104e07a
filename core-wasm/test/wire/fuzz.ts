/** Invalid frames: random ones, and valid ones with every kind of wrong length or count. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bytesToHex, equalBytes, FederationError } from '../../src/wire/index.ts'
import { AGAIN, CORPUS, type Decode } from './corpus.ts'

const RANDOM_MAX_BYTES = 700
/** Frames to encode back, because encoding allocates the largest frame, a quarter of a MiB for rosters. */
const AGAIN_EVERY = 256
/** Counts and lengths that often break programs. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

export interface FuzzResult {
  accepted: number
  /** Heap in use at the end, less the heap in use after a tenth of the frames. */
  grownBytes: number
}

/**
 * Feeds `count` frames to a decoder. Throws with the frame when the decoder gives neither a value nor a FederationError,
 * or a value that does not encode back to its frame.
 */
export function fuzzDecoder(name: string, decode: Decode, count: number, seed: number): FuzzResult {
  const random = xorshift(seed)
  const own = CORPUS[name] ?? []
  const all = Object.values(CORPUS).flat()
  let accepted = 0
  let usedBytes = 0
  for (let i = 0; i < count; i++) {
    if (i === Math.floor(count / 10)) usedBytes = heapBytes()
    const frame = i < own.length ? own[i]!.slice() : nextFrame(random, own, all)
    const before = i % 64 === 0 ? frame.slice() : undefined
    try {
      const value = decode(frame)
      accepted++
      const again = accepted % AGAIN_EVERY === 0 ? AGAIN[name] : undefined
      if (again !== undefined && !equalBytes(again(value as never), frame)) throw new Error('not what was sent')
      if (before !== undefined && !equalBytes(before, frame)) throw new Error('the frame was changed')
    } catch (error) {
      if (error instanceof FederationError) continue
      throw new Error(`${name}: frame ${i} of seed ${seed}: ${bytesToHex(frame)}`, { cause: error })
    }
  }
  return { accepted, grownBytes: heapBytes() - usedBytes }
}

type Random = (below: number) => number

export function nextFrame(random: Random, own: readonly Uint8Array[], all: readonly Uint8Array[]): Uint8Array {
  const kind = random(8)
  if (kind === 0 || own.length === 0) return filled(random, random(RANDOM_MAX_BYTES))
  if (kind === 1) return bent(random, all[random(all.length)]!)
  let frame = own[random(own.length)]!
  for (let bends = 1 + random(3); bends > 0; bends--) frame = bent(random, frame)
  return frame
}

/** A mutated frame, always in a new array. */
function bent(random: Random, frame: Uint8Array): Uint8Array {
  const at = random(frame.length + 1)
  const out = frame.slice()
  switch (random(9)) {
    case 0:
      if (at < out.length) out[at]! ^= 1 << random(8)
      return out
    case 1:
      if (at < out.length) out[at] = EDGES[random(6)]!
      return out
    case 2:
      if (at + 2 <= out.length) new DataView(out.buffer).setUint16(at, EDGES[random(10)]!)
      return out
    case 3:
      if (at + 4 <= out.length) new DataView(out.buffer).setUint32(at, EDGES[random(EDGES.length)]!)
      return out
    case 4:
      return out.slice(0, at)
    case 5:
      return joined(out, filled(random, 1 + random(40)))
    case 6:
      return joined(out.slice(0, at), filled(random, 1 + random(4)), out.slice(at))
    case 7:
      return joined(out.slice(0, at), out.slice(at + 1 + random(40)))
    default:
      // Repeats a part, or swaps two parts.
      return joined(out.slice(at), out.slice(random(out.length + 1)))
  }
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

function filled(random: Random, length: number): Uint8Array {
  const out = new Uint8Array(length)
  for (let i = 0; i < length; i++) out[i] = random(256)
  return out
}

/** Marsaglia's xorshift32, which gives the same frames for the same seed. */
export function xorshift(seed: number): Random {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ (state << 5)) >>> 0
    return state % below
  }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heapBytes(): number {
  // The second pass frees memory outside the heap that the first pass found dead.
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
