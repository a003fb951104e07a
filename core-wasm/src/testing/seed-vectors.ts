/**
 * The published vectors of seeds: wrapped seeds between two replicas, the frames of /geotrace/seeds/1, a maker's signature, and the evidence that two of them
 * make. PROTOCOL.md §4.7, §4.10, §7.4. Keys and seeds derive from fixed numbers, so nothing here is secret.
 */
import { ristretto255 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8 } from '../wire/encoding/bytes.ts'
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

/** A seed wrapped between two replicas with these one-time secrets, by noble's ristretto255. PROTOCOL.md §7.4. */
function toWrapped(draw: (length: number) => Uint8Array, plain: Uint8Array, parts: readonly number[]) {
  const { Point } = ristretto255
  const scalar = (): bigint => Point.Fn.create(bytesToNumberLE(draw(64)))
  const [taker, giver] = [scalar(), scalar()]
  const [takerKey, giverKey] = [taker, giver].map((secret) => Point.BASE.multiply(secret).toBytes()) as [
    Uint8Array,
    Uint8Array,
  ]
  const shared = Point.fromBytes(giverKey).multiply(taker).toBytes()
  const wrapped = parts.map((part): [number, Uint8Array] => {
    const pad = sha512(concatBytes(utf8('geotrace/seed-wrap'), shared, takerKey, giverKey, Uint8Array.of(part)))
    return [part, plain.map((byte, i) => byte ^ pad[i]!)]
  })
  const secrets = { takerSecret: Point.Fn.toBytes(taker), giverSecret: Point.Fn.toBytes(giver) }
  return { keys: { ...secrets, takerKey, giverKey, shared }, wrapped: new Map(wrapped) }
}

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
  const root = draw(32)
  const wrap = toWrapped(draw, concatBytes(seed.state, seed.quotaKey), [part, 34])
  const parts = [part, 34].map((number) => ({
    ...{ part: number, epoch: seed.epoch, wrapped: wrap.wrapped.get(number)! },
    ...{ maker: seed.maker, signature: one.signature },
  }))
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
    wrap: {
      ...hex(wrap.keys),
      wrapped: hex(Object.fromEntries(wrap.wrapped)),
    },
    frames: hex({
      offer: encodeSeedsRequest({ op: 'offer', federation, ...about, offered: [part, 34] }),
      fetch: encodeSeedsRequest({
        ...{ op: 'fetch', federation, ...about, wanted: [part, 34] },
        takerKey: wrap.keys.takerKey,
      }),
      fetchReply: encodeSeedsReply({ root, giverKey: wrap.keys.giverKey, parts }),
      lines: encodeSeedsRequest({ op: 'lines', federation, ...about, part, from: 0, count: LINES }),
      linesReply: encodeLinesReply({ maker: seed.maker, signature: one.signature, lines }),
    }),
    evidence: hex({ cbor: encodeEvidence(evidence), id: evidenceToId(evidence) }),
  }
}
