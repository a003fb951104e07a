/**
 * Searches the memory of this process for erased seeds, which not even the owner of the machine must find.
 * The memory is read from /proc/self/mem, so the test is skipped where that file does not exist.
 */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { systemClock } from '@geotrace/core-wasm'
import { loadGroup } from '@geotrace/core-wasm/voprf'
import { decodeSeedsReply, encodeSeedsReply, epochToSecretSpan, type PartSeed } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { hedgedRandom } from '../../src/salt/secrets/hedged-random.ts'
import { seedKeeper } from '../../src/salt/secrets/seed-keeper.ts'
import { seedTaker, wrapSeeds } from '../../src/salt/secrets/seed-wrap.ts'
import { core } from './federation.ts'

const group = await loadGroup()
const FIRST = 350_000
const SHARDS = 6
/** Secrets are compared in masked form only, because a plain copy here would be found too. */
const MASK = 0xa5
const MASK_WORD = 0xa5a5a5a5 | 0
const PIECE_BYTES = 1 << 22
const TAG_BYTES = 12
const SECRET_BYTES = 32
const [HAS_MEMORY, why] = existsSync('/proc/self/mem') ? [true, ''] : [false, ' (SKIPPED: no /proc/self/mem here)']

/** Every second seed is that of a second part. */
const at = (number: number) => ({ shard: number >> 1, firstEpoch: FIRST, part: number & 1 })

const masked = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ MASK)
/** The common start of all secrets of this test, masked, so that one search finds them all. */
const TAG = systemRandom(TAG_BYTES)
const nameOf = (maskedSecret: Uint8Array): string => Buffer.from(maskedSecret).toString('hex')

/** The secrets in the writable memory of this process: masked hex and number of copies. */
function secretsInMemory(drawn?: Uint8Array): Map<string, number> {
  const counts = new Map<string, number>()
  const memory = openSync('/proc/self/mem', 'r')
  const piece = Buffer.from(new ArrayBuffer(PIECE_BYTES))
  const words = new Int32Array(piece.buffer)
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
    if (from === undefined || to === undefined) continue
    const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)]
    for (let at = start; at < end; at += PIECE_BYTES - SECRET_BYTES + 1) {
      // The buffer itself lies in the searched memory.
      piece.fill(0)
      const read = readPiece(memory, piece, Math.min(PIECE_BYTES, end - at), at)
      for (let i = 0; i < words.length; i++) words[i] = words[i]! ^ MASK_WORD
      for (let found = piece.indexOf(TAG); found >= 0 && found <= read - SECRET_BYTES; ) {
        const name = nameOf(piece.subarray(found, found + SECRET_BYTES))
        counts.set(name, (counts.get(name) ?? 0) + 1)
        found = piece.indexOf(TAG, found + 1)
      }
      if (drawn !== undefined && piece.indexOf(drawn) >= 0) counts.set('a draw', 1)
    }
  }
  closeSync(memory)
  return counts
}

/** 0 for mapped memory that cannot be read. */
function readPiece(memory: number, piece: Buffer, length: number, at: number): number {
  try {
    return readSync(memory, piece, 0, length, at)
  } catch {
    return 0
  }
}

/** Fills the heap of V8 as a busy node does, so that it moves every array that it can move. */
function stir(): void {
  for (let i = 0; i < 20; i++) Array.from({ length: 20_000 }, () => new Uint8Array(40))
}

/** Gives a seed to a taker, and keeps the frame of the answer as the network's buffers do. */
function exchange(seed: PartSeed, frames: Uint8Array[]): PartSeed {
  const taker = seedTaker(group, systemRandom)
  const frame = encodeSeedsReply({ root: undefined, ...wrapSeeds(group, systemRandom, taker.key, [seed]) })
  frames.push(frame)
  const [taken] = taker.open(decodeSeedsReply(frame))
  taker.end()
  return taken!
}

it.skipIf(!HAS_MEMORY)(
  `the memory of the process holds no erased state, no dropped seed, no wiped draw and no seed of an exchanged frame${why}`,
  () => {
    const keeper = seedKeeper(core)
    const frames: Uint8Array[] = []
    const wound: string[] = []
    const dropped: string[] = []
    const open: string[] = []
    const held = (shard: number): string => {
      const [state, quotaKey] = [systemRandom(SECRET_BYTES), systemRandom(SECRET_BYTES)]
      for (let i = 0; i < TAG_BYTES; i++) state[i] = TAG[i]! ^ MASK
      const name = nameOf(masked(state))
      const seed = { epoch: FIRST, part: shard & 1, state, quotaKey, maker: 0, signature: new Uint8Array(64) }
      const taken = exchange(seed, frames)
      keeper.hold(at(shard), 20, taken)
      // The giver and the taker of a seed wipe their copies.
      for (const copy of [state, quotaKey, taken.state, taken.quotaKey]) copy.fill(0)
      return name
    }
    for (let i = 0; i < SHARDS; i++) {
      wound.push(held(i))
      keeper.settle(at(i))
      dropped.push(held(SHARDS + i))
      // The roster of this seed is not certified, so the seed stays whole.
      open.push(held(2 * SHARDS + i))
    }
    stir()
    const once = (names: readonly string[]) => new Map(names.map((name) => [name, 1]))
    const grip = keeper.grip([at(0), at(1)], [FIRST + 1], epochToSecretSpan(FIRST + 1).from)
    for (const i of [0, 1]) expect(grip.leaf(i, FIRST + 1).some((byte) => byte !== 0)).toBe(true)
    grip.end()
    expect(frames).toHaveLength(3 * SHARDS)
    expect(sorted(secretsInMemory())).toEqual(sorted(once([...wound, ...dropped, ...open])))

    keeper.advance(epochToSecretSpan(FIRST).to)
    for (let i = 0; i < SHARDS; i++) keeper.drop(at(SHARDS + i))
    expect(sorted(secretsInMemory())).toEqual(sorted(once(open)))
    keeper.wipe()
    const hedged = hedgedRandom(systemRandom, nativeSigner(systemRandom(SECRET_BYTES)), systemClock())
    for (const random of [systemRandom, hedged]) {
      const draw = random(SECRET_BYTES)
      const drawn = masked(draw)
      draw.fill(0)
      expect(secretsInMemory(drawn).size).toBe(0)
    }
  },
)

function sorted(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}
