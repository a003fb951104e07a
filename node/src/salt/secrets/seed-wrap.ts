/**
 * Wraps seeds for one answer to one replica. PROTOCOL.md §7.4. Giver and taker draw a key each, agree on a secret and wipe
 * all three. Buffers of the network keep copies of frames for as long as the process lives, and the owner of the machine may
 * read them later. No key that is left then opens such a copy.
 * The connection authenticates the frames and the maker signs the seed, so a wrapped seed needs no tag.
 */
import type { Random } from '@geotrace/core-wasm'
import { type Group, randomScalar } from '@geotrace/core-wasm/voprf'
import {
  ELEMENT_BYTES,
  type PartSeed,
  SECRET_BYTES,
  type SeedsReply,
  utf8,
  WRAPPED_SEED_BYTES,
  type WrappedSeed,
} from '@geotrace/core-wasm/wire'
import { secretBytes } from './secret-bytes.ts'

export type WrapGroup = Pick<Group, 'isElement' | 'multiply' | 'multiplyBase' | 'scalarReduce' | 'sha512'>

/** A replica that fetches seeds. */
interface SeedTaker {
  /** The one-time key of the request. */
  readonly key: Uint8Array
  /** The seeds of the answer, whose `giverKey` is an element. The caller wipes them. */
  open(answer: Wrapped): PartSeed[]
  /** Wipes the secret of the key. */
  end(): void
}
type Wrapped = Pick<SeedsReply, 'giverKey' | 'parts'>

const WRAP = utf8('geotrace/seed-wrap')

export function seedTaker(group: WrapGroup, random: Random): SeedTaker {
  const secret = randomScalar(group, random)
  const key = group.multiplyBase(secret)
  return {
    key,
    open({ giverKey, parts }) {
      if (parts.length === 0) return []
      const shared = group.multiply(secret, giverKey)
      const seeds = parts.map(({ wrapped, ...label }) => {
        const pad = toPad(group, shared, key, giverKey, label.part)
        const plain = xor(wrapped, pad)
        pad.fill(0)
        return { ...label, state: plain.subarray(0, SECRET_BYTES), quotaKey: plain.subarray(SECRET_BYTES) }
      })
      shared.fill(0)
      return seeds
    },
    end: () => void secret.fill(0),
  }
}

/** `takerKey` is an element. The caller wipes the seeds. */
export function wrapSeeds(group: WrapGroup, random: Random, takerKey: Uint8Array, seeds: readonly PartSeed[]): Wrapped {
  if (seeds.length === 0) return { giverKey: new Uint8Array(ELEMENT_BYTES), parts: [] }
  const secret = randomScalar(group, random)
  const giverKey = group.multiplyBase(secret)
  const shared = group.multiply(secret, takerKey)
  secret.fill(0)
  const parts = seeds.map(({ state, quotaKey, ...label }): WrappedSeed => {
    const wrapped = toPad(group, shared, takerKey, giverKey, label.part)
    for (let i = 0; i < SECRET_BYTES; i++) {
      wrapped[i]! ^= state[i]!
      wrapped[SECRET_BYTES + i]! ^= quotaKey[i]!
    }
    return { ...label, wrapped }
  })
  shared.fill(0)
  return { giverKey, parts }
}

/** SHA-512("geotrace/seed-wrap" ‖ secret ‖ key of the taker ‖ key of the giver ‖ u8 part): as long as a wrapped seed. */
function toPad(
  group: WrapGroup,
  shared: Uint8Array,
  takerKey: Uint8Array,
  giverKey: Uint8Array,
  part: number,
): Uint8Array {
  return group.sha512(WRAP, shared, takerKey, giverKey, Uint8Array.of(part))
}

function xor(wrapped: Uint8Array, pad: Uint8Array): Uint8Array {
  const plain = secretBytes(WRAPPED_SEED_BYTES)
  for (let i = 0; i < WRAPPED_SEED_BYTES; i++) plain[i] = wrapped[i]! ^ pad[i]!
  return plain
}
