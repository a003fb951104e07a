/**
 * The published vectors of seeds: the frames of /geotrace/seeds/1, a maker's signature, and the evidence that two of them
 * make. PROTOCOL.md §4.7, §4.10, §7.4. Keys and seeds derive from fixed numbers, so nothing here is secret.
 */
import { bytesToHex, utf8 } from '../wire/encoding/bytes.ts'
import { secretToSigner, signContent } from '../wire/encoding/signature.ts'
import {
  encodeLinesReply,
  encodeSeedsReply,
  encodeSeedsRequest,
  partLinesToHash,
  seedContent,
} from '../wire/messages/seeds.ts'
import { encodeEvidence, evidenceToId } from '../wire/succession/evidence.ts'
import { randomBytes, seeded } from './samples.ts'

const SEED = 0x47540007
const LINES = 3

/** Bytes are lower-case hex. */
export function seedVectors() {
  const random = seeded(SEED)
  const draw = (length: number): Uint8Array => randomBytes(random, length)
  const secret = draw(32)
  const signer = secretToSigner(secret)
  const [federation, previous] = [draw(32), draw(32)]
  const about = { shard: 258, firstEpoch: 371_232 }
  const part = 3
  const [lines, others] = [draw(32 * LINES), draw(32 * LINES)]
  const sign = (own: Uint8Array) => {
    const hash = partLinesToHash(own)
    const content = seedContent({ federation, previous, ...about, part, hash })
    return { hash, content, signature: signContent(signer, 'geotrace/seed', content) }
  }
  const [one, two] = [sign(lines), sign(others)]
  const seed = { epoch: about.firstEpoch, state: draw(32), quotaKey: draw(32), maker: 1 }
  const parts = [part, 34].map((number) => ({ part: number, ...seed, signature: one.signature }))
  const root = draw(32)
  const evidence = {
    kind: 'seeds' as const,
    key: signer.key,
    ...{ federation, previous, ...about, part },
    first: { hash: one.hash, signature: one.signature },
    second: { hash: two.hash, signature: two.signature },
  }
  const hex = (values: Record<string, Uint8Array>): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, bytes]) => [name, bytesToHex(bytes)]))
  return {
    domain: bytesToHex(utf8('geotrace/seed')),
    maker: hex({ secret, key: signer.key }),
    statement: { ...hex({ federation, previous, lines, ...one }), ...about, part },
    seed: { ...hex({ state: seed.state, quotaKey: seed.quotaKey, root }), epoch: seed.epoch, maker: seed.maker },
    frames: hex({
      offer: encodeSeedsRequest({ op: 'offer', federation, ...about, parts }),
      fetch: encodeSeedsRequest({ op: 'fetch', federation, ...about, wanted: [part, 34] }),
      fetchReply: encodeSeedsReply({ root, parts }),
      lines: encodeSeedsRequest({ op: 'lines', federation, ...about, part, from: 0, count: LINES }),
      linesReply: encodeLinesReply({ maker: seed.maker, signature: one.signature, lines }),
    }),
    evidence: hex({ cbor: encodeEvidence(evidence), id: evidenceToId(evidence) }),
  }
}
