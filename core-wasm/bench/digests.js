/** SHA-256 of 48-byte messages laid end to end: the batch of the core against libraries that take one message at a time. */
import { digest } from '@chainsafe/as-sha256'
import { sha256 } from '@noble/hashes/sha2.js'
import { createSHA256 } from 'hash-wasm'
import { randomBytes, seeded } from '../dist/testing/samples.js'
import { interleaved, row, timed } from './rounds.js'

const COUNT = 4096
const LENGTH = 48
const ROUNDS = 200

export async function digestRows(core, progress) {
  const messages = randomBytes(seeded(5), COUNT * LENGTH)
  const hasher = await createSHA256()
  const each = (hash) => () => {
    const out = new Uint8Array(COUNT * 32)
    for (let i = 0; i < COUNT; i++) out.set(hash(messages.subarray(i * LENGTH, (i + 1) * LENGTH)), i * 32)
    return out
  }
  const runs = {
    ours: () => core.sha256Batch(messages, LENGTH),
    noble: each(sha256),
    chainsafe: each(digest),
    hashWasm: each((message) => hasher.init().update(message).digest('binary')),
  }
  const wanted = Buffer.from(runs.noble())
  for (const [name, run] of Object.entries(runs)) {
    if (Buffer.compare(wanted, run()) !== 0) throw new Error(`wrong digests: ${name}`)
  }
  const contenders = Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, () => timed(run, COUNT).ns]))
  const best = await interleaved(contenders, ROUNDS, (round) =>
    progress(`core: digests: round ${round + 1} of ${ROUNDS}`),
  )
  const name = 'SHA-256 of 48 bytes, batch'
  return [
    row(name, '@noble/hashes', best.ours, best.noble),
    row(name, '@chainsafe/as-sha256 digest', best.ours, best.chainsafe),
    row(name, 'hash-wasm', best.ours, best.hashWasm),
  ]
}
