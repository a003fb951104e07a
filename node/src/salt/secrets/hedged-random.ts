/**
 * Random bytes for seeds that stay secret while the system's generator can be predicted: RFC 8937 with SHA-256 and
 * Ed25519. PROTOCOL.md §5.1. A copied virtual machine, or one with too little entropy, draws what others can compute. A
 * draw here also depends on the node's key, on the time and on a counter.
 */
import { createHash, createHmac } from 'node:crypto'
import type { Clock, Random } from '@geotrace/core-wasm'
import { byteWriter, type Signer, signContent } from '@geotrace/core-wasm/wire'
import { secretBytes } from './secret-bytes.ts'

const HASH_BYTES = 32
const LENGTH_MAX = 255 * HASH_BYTES
/** tag1 of RFC 8937: constant for one key. No other signature has this domain, and this one never leaves the process. */
const DOMAIN = 'geotrace/randomness'

/** `length` of a draw is at most 8,160 bytes. */
export function hedgedRandom(random: Random, signer: Signer, clock: Pick<Clock, 'now'>): Random {
  const signature = signContent(signer, DOMAIN, new Uint8Array(0))
  const hashed = createHash('sha256').update(signature).digest()
  signature.fill(0)
  let draws = 0
  return (length) => {
    if (!(length <= LENGTH_MAX)) throw new RangeError(`"length" expected at most ${LENGTH_MAX}, got ${length}`)
    const drawn = random(Math.max(length, HASH_BYTES))
    // Extract and Expand of HKDF (RFC 5869). The time and the counter are tag2, which never repeats.
    const extracted = createHmac('sha256', hashed).update(drawn).digest()
    const tag = byteWriter(12).time(clock.now()).u32(draws++).finish()
    const out = secretBytes(length)
    let block = Buffer.alloc(0)
    for (let at = 0, n = 1; at < length; at += HASH_BYTES, n++) {
      const next = createHmac('sha256', extracted).update(block).update(tag).update(Uint8Array.of(n)).digest()
      block.fill(0)
      block = next
      out.set(block.subarray(0, length - at), at)
    }
    for (const secret of [drawn, extracted, block]) secret.fill(0)
    return out
  }
}
