import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  foundRoster,
  nextTestRoster,
  testCommitments,
  testManifest,
  testSalt,
  testSigner,
  testTrees,
} from '../../../src/testing/founding.ts'
import { treeToPath } from '../../../src/testing/merkle-tree.ts'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const manifest = testManifest({ shards: 2, periodEpochs: 6, reserveEpochs: 2 })
const trees = testTrees(manifest)
const certified = foundRoster(manifest, trees)
const { roster } = certified
const name = wire.hashToRosterName(certified.hash)
const named = (wanted: Uint8Array) => (wire.equalBytes(wanted, name) ? certified : undefined)
const node = testSigner('peer/ash')

/** The signed answer of a node with `salt` and `path`, which are honest by default. */
interface Answering {
  signer?: wire.Signer
  salt?: (shard: number, size: number, n: number) => Uint8Array
  change?: (answer: Omit<wire.SaltAnswer, 'signature'>) => void
}
function answerTo(request: Uint8Array, { signer = node, salt = testSalt, change = () => {} }: Answering = {}) {
  const { shard, blocks } = wire.decodeSaltRequest(request)
  const epochs = [...wire.blocksToMasks(blocks)].map(([epoch, mask]) => {
    const entries = testCommitments(shard, epoch)
    wire.epochToBlocks(epoch).forEach(({ size, n }, position) => {
      if ((mask >>> position) & 1) entries[position] = salt(shard, size, n)
    })
    return {
      epoch,
      mask,
      entries,
      path: treeToPath(trees[shard]!, epoch - roster.firstEpoch).map((sibling) => sibling.slice()),
    }
  })
  const answer = { time: 1_000, roster: name, shard, epochs }
  change(answer)
  const unsigned = wire.encodeUnsignedAnswer(answer)
  const content = wire.answerContent(request, unsigned)
  return wire.concatBytes(unsigned, wire.signContent(signer, 'geotrace/salt-answer', content))
}
const requestOf = (shard: number, blocks: wire.Block[], of = name) =>
  wire.encodeSaltRequest({ roster: of, shard, blocks: [...blocks].sort(wire.compareBlocks) })
const someBlocks = wire.epochToBlocks(roster.firstEpoch + 1).slice(0, 3)
const asked = requestOf(1, someBlocks)
const about = (request: Uint8Array, answer: Uint8Array, key = node.key): wire.Evidence => ({
  kind: 'answer',
  key,
  request,
  answer,
})
const falseSalt = () => new Uint8Array(32).fill(6)

describe('evidence of a false answer', () => {
  it('a signed answer with a salt, commitment or path that the sheet does not hold is evidence', () => {
    const lies: Answering[] = [
      { salt: falseSalt },
      { change: ({ epochs }) => void epochs[0]!.entries[30]!.fill(1) },
      { change: ({ epochs }) => void epochs[0]!.path[0]!.fill(1) },
      { change: ({ epochs }) => void (epochs[0]!.mask ^= 1 << 9) },
      { change: ({ epochs }) => void epochs[0]!.epoch++ },
      { change: (answer) => void (answer.shard = 0) },
      { change: (answer) => void (answer.roster = new Uint8Array(8)) },
    ]
    for (const [i, lie] of lies.entries()) {
      expect(wire.isProof(about(asked, answerTo(asked, lie)), named), `lie ${i}`).toBe(true)
    }
  })

  it('an honest answer to any request is no evidence', () => {
    const block = fc.tuple(fc.nat({ max: wire.sheetEpochs(roster) - 1 }), fc.nat({ max: 30 }))
    fc.assert(
      fc.property(
        fc.nat({ max: 1 }),
        fc.uniqueArray(block, { minLength: 1, maxLength: 90, selector: String }),
        fc.constantFrom('peer/ash', 'peer/birch', 'peer/fir'),
        (shard, picks, role) => {
          const epochs = [...new Set(picks.map(([epoch]) => epoch))].slice(0, wire.EPOCHS_PER_ANSWER_MAX)
          const blocks = picks
            .filter(([epoch]) => epochs.includes(epoch))
            .map(([epoch, position]) => wire.epochToBlocks(roster.firstEpoch + epoch)[position]!)
          const request = requestOf(shard, blocks)
          const signer = testSigner(role)
          const answer = answerTo(request, { signer })
          expect(
            wire.answerToSalts(answer, certified, shard, wire.decodeSaltRequest(request).blocks, signer.key).salts,
          ).toHaveLength(blocks.length)
          expect(wire.isProof(about(request, answer, signer.key), named)).toBe(false)
          // The answer is no evidence against another member or for another request.
          expect(wire.isProof(about(request, answer, testSigner('peer/cedar').key), named)).toBe(false)
          expect(wire.isProof(about(asked, answer, signer.key), named)).toBe(false)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('an honest answer with an altered byte in the answer or the request is no evidence', () => {
    const answer = answerTo(asked)
    const flip = (bytes: Uint8Array, bit: number) => {
      const out = bytes.slice()
      out[bit >> 3]! ^= 1 << (bit & 7)
      return out
    }
    fc.assert(
      fc.property(fc.nat({ max: answer.length * 8 - 1 }), fc.nat({ max: asked.length * 8 - 1 }), (a, r) => {
        expect(wire.isProof(about(asked, flip(answer, a)), named)).toBe(false)
        expect(wire.isProof(about(flip(asked, r), answer), named)).toBe(false)
      }),
      { numRuns: 150 },
    )
  })

  it('an answer of a stranger, under an unknown roster, or a refusal is no evidence', () => {
    const stranger = testSigner('peer/gum')
    expect(
      wire.isProof(about(asked, answerTo(asked, { signer: stranger, salt: falseSalt }), stranger.key), named),
    ).toBe(false)
    const operator = testSigner('operator/ash')
    expect(
      wire.isProof(about(asked, answerTo(asked, { signer: operator, salt: falseSalt }), operator.key), named),
    ).toBe(false)
    const elsewhere = requestOf(1, someBlocks, new Uint8Array(8))
    expect(wire.isProof(about(elsewhere, answerTo(elsewhere, { salt: falseSalt })), named)).toBe(false)
    expect(wire.isProof(about(asked, Uint8Array.of(9, 0, 0, 0, 1)), named)).toBe(false)
    expect(wire.isProof(about(asked, new Uint8Array(0)), named)).toBe(false)
    expect(wire.isProof(about(new Uint8Array(0), answerTo(asked)), named)).toBe(false)
  })
})

describe('evidence of two votes', () => {
  const operator = testSigner('operator/ash')
  const second = nextTestRoster(certified)
  const { federation } = roster
  const ballot = { height: 1, firstEpoch: second.roster.firstEpoch, hash: second.hash }
  const vote = (change: Partial<typeof ballot> = {}, signer = operator) => {
    const on = { ...ballot, ...change }
    return { ...on, signature: wire.signVote(signer, 0, { federation, ...on }).signature }
  }
  const votes = (first: ReturnType<typeof vote>, other: ReturnType<typeof vote>): wire.Evidence => ({
    kind: 'votes',
    key: operator.key,
    federation,
    first,
    second: other,
  })
  const proves = (evidence: wire.Evidence) => wire.isProof(evidence, () => undefined)
  const otherHash = new Uint8Array(32).fill(3)

  it('votes for two rosters of one period are evidence', () => {
    expect(proves(votes(vote(), vote({ hash: otherHash })))).toBe(true)
    expect(proves(votes(vote(), vote({ height: 2 })))).toBe(true)
  })

  it('the same vote twice, also signed anew, and votes for two periods are no evidence', () => {
    expect(proves(votes(vote(), vote()))).toBe(false)
    // With Ed25519, a signer can make several signatures under the same content.
    const content = wire.voteContent({ federation, ...ballot })
    const anew = { ...vote(), signature: signedWithAnotherNonce('operator/ash', content) }
    expect(anew.signature).not.toEqual(vote().signature)
    expect(proves(votes(vote(), anew))).toBe(false)
    expect(proves(votes(vote(), vote({ firstEpoch: ballot.firstEpoch + 6, hash: otherHash })))).toBe(false)
  })

  it('two votes are no evidence when the accused did not sign both', () => {
    const forged = vote({ hash: otherHash }, testSigner('operator/birch'))
    expect(proves(votes(vote(), forged))).toBe(false)
    expect(proves(votes(forged, vote()))).toBe(false)
    expect(proves(votes(vote(), { ...vote(), hash: otherHash }))).toBe(false)
    expect(proves({ ...votes(vote(), vote({ hash: otherHash })), key: testSigner('operator/birch').key })).toBe(false)
  })

  function signedWithAnotherNonce(role: string, content: Uint8Array): Uint8Array {
    const seen: Uint8Array[] = []
    const spy: wire.Signer = {
      key: testSigner(role).key,
      sign: (message) => {
        seen.push(message)
        return new Uint8Array(64)
      },
    }
    wire.signContent(spy, 'geotrace/vote', content)
    const secret = wire.demoSecret('a phrase for tests', role)
    const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(secret)
    const { BASE, Fn } = ed25519.Point
    const r = 987_654_321n
    const R = BASE.multiply(r).toBytes()
    const s = (r + toScalar(wire.concatBytes(R, pointBytes, seen[0]!)) * scalar) % Fn.ORDER
    return wire.concatBytes(R, Fn.toBytes(s))
  }
})

describe('evidence of two proposals', () => {
  const liar = testSigner('operator/ash')
  const head = { federation: roster.federation, height: 1, firstEpoch: roster.firstEpoch + 6 }
  const hashes = [1, 2].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array]
  const proposal = (hash: Uint8Array, change: Partial<typeof head & { holder: Uint8Array }> = {}, signer = liar) => {
    const { federation, ...rest } = { ...head, ...change }
    const signed = wire.signProposal(signer, federation, { holder: node.key, operator: 0, ...rest, hash })
    return { hash, holder: signed.holder, operator: signed.operator, signature: signed.signature }
  }
  const proposals = (first: ReturnType<typeof proposal>, second: ReturnType<typeof proposal>): wire.Evidence => ({
    ...{ kind: 'proposals', key: liar.key },
    ...head,
    ...{ first, second },
  })
  const proves = (evidence: wire.Evidence) => wire.isProof(wire.decodeEvidence(wire.encodeEvidence(evidence)), named)

  it('two signed proposals with different hashes for one height and period are evidence, whatever peer holds the bodies', () => {
    expect(proves(proposals(proposal(hashes[0]), proposal(hashes[1])))).toBe(true)
    expect(proves(proposals(proposal(hashes[0]), proposal(hashes[1], { holder: liar.key })))).toBe(true)
  })

  it('one hash twice, and proposals of two heights, periods, federations or signers are no evidence', () => {
    const first = proposal(hashes[0])
    expect(proves(proposals(first, first))).toBe(false)
    expect(proves(proposals(first, proposal(hashes[0], { holder: liar.key })))).toBe(false)
    expect(proves(proposals(first, proposal(hashes[1], { height: 2 })))).toBe(false)
    expect(proves(proposals(first, proposal(hashes[1], { firstEpoch: head.firstEpoch + 6 })))).toBe(false)
    expect(proves(proposals(first, proposal(hashes[1], { federation: new Uint8Array(32) })))).toBe(false)
    expect(proves(proposals(first, proposal(hashes[1], {}, testSigner('operator/birch'))))).toBe(false)
    expect(proves(proposals(first, { ...proposal(hashes[1]), operator: 1 }))).toBe(false)
  })
})

describe('evidence of two sheets', () => {
  const { federation, previous } = nextTestRoster(certified).roster
  const head = { federation, previous, shard: 1, firstEpoch: roster.firstEpoch, epochs: 8 }
  const roots = [1, 2].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array]
  const sheet = (root: Uint8Array, change: Partial<wire.Sheet> = {}, signer = node) => ({
    root,
    signature: wire.signContent(signer, 'geotrace/sheet', wire.sheetContent({ ...head, root, ...change })),
  })
  const sheets = (first: ReturnType<typeof sheet>, second: ReturnType<typeof sheet>): wire.Evidence => ({
    kind: 'sheets',
    key: node.key,
    ...head,
    first,
    second,
  })
  const proves = (evidence: wire.Evidence) => wire.isProof(evidence, () => undefined)

  it('two signed roots for one shard, period and roster before are evidence', () => {
    expect(proves(sheets(sheet(roots[0]), sheet(roots[1])))).toBe(true)
  })

  it('one root twice, sheets of two shards, periods or branches of the chain, and a sheet of another signer are no evidence', () => {
    expect(proves(sheets(sheet(roots[0]), sheet(roots[0])))).toBe(false)
    expect(proves(sheets(sheet(roots[0]), sheet(roots[1], { shard: 0 })))).toBe(false)
    expect(proves(sheets(sheet(roots[0]), sheet(roots[1], { firstEpoch: head.firstEpoch + 6 })))).toBe(false)
    expect(proves(sheets(sheet(roots[0]), sheet(roots[1], { federation: new Uint8Array(32) })))).toBe(false)
    expect(proves(sheets(sheet(roots[0]), sheet(roots[1], { previous: roster.previous })))).toBe(false)
    expect(proves(sheets(sheet(roots[0]), sheet(roots[1], {}, testSigner('peer/birch'))))).toBe(false)
  })
})

describe('evidence of two pins', () => {
  const central = testSigner('peer/authority')
  const { federation } = roster
  const rosters = [1, 2].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array]
  const pin = (hash: Uint8Array, epoch = 9, of = federation, signer = central) => {
    const { signature } = wire.signPin(signer, of, epoch, hash)
    return { roster: hash, signature }
  }
  const pins = (first: ReturnType<typeof pin>, second: ReturnType<typeof pin>): wire.Evidence => ({
    ...{ kind: 'pins', key: central.key, federation, epoch: 9 },
    ...{ first, second },
  })
  const proves = (evidence: wire.Evidence) => wire.isProof(wire.decodeEvidence(wire.encodeEvidence(evidence)), named)

  it('two signed pins of one epoch with different rosters are evidence', () => {
    expect(proves(pins(pin(rosters[0]), pin(rosters[1])))).toBe(true)
  })

  it('one roster twice, and pins of two epochs, federations or signers are no evidence', () => {
    const first = pin(rosters[0])
    expect(proves(pins(first, first))).toBe(false)
    expect(proves(pins(first, pin(rosters[1], 10)))).toBe(false)
    expect(proves(pins(first, pin(rosters[1], 9, new Uint8Array(32))))).toBe(false)
    expect(proves(pins(first, pin(rosters[1], 9, federation, node)))).toBe(false)
    expect(proves(pins(pin(rosters[0], 9, federation, node), first))).toBe(false)
  })
})

describe('evidence about seeds', () => {
  const { federation, previous, firstEpoch } = roster
  const head = { federation, previous, shard: 1, firstEpoch, part: 2 }
  const maker = testSigner('peer/ash')
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  type Signed = { hash: Uint8Array; signature: Uint8Array }
  const seed = (hash: Uint8Array, more: Partial<typeof head> = {}, signer = maker): Signed => ({
    hash,
    signature: wire.signContent(signer, 'geotrace/seed', wire.seedContent({ ...head, ...more, hash })),
  })
  const proves = (first: Signed, second: Signed) =>
    wire.isProof({ kind: 'seeds', key: maker.key, ...head, first, second }, () => undefined)

  it('two signed seeds for one part, period and roster before are evidence', () => {
    expect(proves(seed(one), seed(two))).toBe(true)
  })

  it('one seed twice, seeds of two parts, shards, periods or branches, and a seed of another maker are no evidence', () => {
    expect(proves(seed(one), seed(one))).toBe(false)
    expect(proves(seed(one), seed(two, { part: 3 }))).toBe(false)
    expect(proves(seed(one), seed(two, { shard: 0 }))).toBe(false)
    expect(proves(seed(one), seed(two, { firstEpoch: firstEpoch + 6 }))).toBe(false)
    expect(proves(seed(one), seed(two, { previous: one }))).toBe(false)
    expect(proves(seed(one), seed(two, { federation: one }))).toBe(false)
    expect(proves(seed(one), seed(two, {}, testSigner('peer/birch')))).toBe(false)
    expect(proves(seed(two, {}, testSigner('peer/birch')), seed(one))).toBe(false)
  })
})

describe('evidence on the wire', () => {
  const evidence = about(asked, answerTo(asked, { salt: falseSalt }))
  const encoded = wire.encodeEvidence(evidence)

  it('evidence decodes from its bytes unchanged and has an id of its own', () => {
    expect(wire.decodeEvidence(encoded)).toEqual(evidence)
    expect(wire.evidenceToId(evidence)).toHaveLength(32)
    expect(wire.evidenceToId({ ...evidence, key: testSigner('peer/birch').key })).not.toEqual(
      wire.evidenceToId(evidence),
    )
  })

  it('evidence holds the largest request and answer', () => {
    const big = about(new Uint8Array(wire.SALT_REQUEST_MAX_BYTES), new Uint8Array(wire.SALT_ANSWER_MAX_BYTES))
    expect(wire.decodeEvidence(wire.encodeEvidence(big))).toEqual(big)
    const bigger = about(new Uint8Array(wire.SALT_REQUEST_MAX_BYTES + 1), new Uint8Array(1))
    expect(() => wire.decodeEvidence(wire.encodeEvidence(bigger))).toThrow(malformed)
  })

  it('evidence that is cut, garbled, of another kind or about an impossible shard is refused', () => {
    refusesCutAndLong(wire.encodeEvidence(about(asked, new Uint8Array(9))), wire.decodeEvidence)
    neverThrowsAnythingElse(encoded, wire.decodeEvidence, 300)
    expect(() => wire.decodeEvidence(encode({ ...evidence, kind: 'rumour' }))).toThrow(malformed)
    expect(() => wire.decodeEvidence(encode({ ...evidence, extra: 1 }))).toThrow(malformed)
    const sheet = { root: new Uint8Array(32), signature: new Uint8Array(64) }
    const of = (shard: number) =>
      encode({
        kind: 'sheets',
        key: node.key,
        federation: roster.federation,
        previous: roster.previous,
        shard,
        firstEpoch: 0,
        epochs: 1,
        first: sheet,
        second: sheet,
      })
    expect(wire.decodeEvidence(of(65_535))).toMatchObject({ shard: 65_535 })
    expect(() => wire.decodeEvidence(of(65_536))).toThrow(malformed)
  })

  it('evidence with any content is judged without an exception', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const u32 = fc.nat({ max: 0xffffffff })
    const vote = fc.record({
      height: u32,
      firstEpoch: u32,
      hash: bytes(32),
      signature: bytes(64),
    })
    const seed = fc.record({ hash: bytes(32), signature: bytes(64) })
    const sheet = fc.record({ root: bytes(32), signature: bytes(64) })
    const operator = fc.nat({ max: 0xffff })
    const proposal = fc.record({ hash: bytes(32), holder: bytes(32), operator, signature: bytes(64) })
    const key = fc.oneof(bytes(32), fc.constant(node.key))
    const any = fc.oneof(
      fc.record({ kind: fc.constant('votes' as const), key, federation: bytes(32), first: vote, second: vote }),
      fc.record({
        kind: fc.constant('pins' as const),
        key,
        federation: bytes(32),
        epoch: u32,
        first: fc.record({ roster: bytes(32), signature: bytes(64) }),
        second: fc.record({ roster: bytes(32), signature: bytes(64) }),
      }),
      fc.record({
        kind: fc.constant('proposals' as const),
        key,
        federation: bytes(32),
        height: u32,
        firstEpoch: u32,
        first: proposal,
        second: proposal,
      }),
      fc.record({
        kind: fc.constant('seeds' as const),
        key,
        federation: bytes(32),
        previous: bytes(32),
        shard: fc.nat({ max: 0xffff }),
        firstEpoch: u32,
        part: fc.nat({ max: 0xff }),
        first: seed,
        second: seed,
      }),
      fc.record({
        kind: fc.constant('sheets' as const),
        key,
        federation: bytes(32),
        previous: bytes(32),
        shard: fc.nat({ max: 0xffff }),
        firstEpoch: u32,
        epochs: u32,
        first: sheet,
        second: sheet,
      }),
      fc.record({
        kind: fc.constant('answer' as const),
        key,
        request: fc.uint8Array({ maxLength: 200 }),
        answer: fc.uint8Array({ maxLength: 200 }),
      }),
    )
    fc.assert(
      fc.property(any, (item) => {
        expect(wire.isProof(wire.decodeEvidence(wire.encodeEvidence(item)), named)).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  const malformed = expect.objectContaining({ code: 'MESSAGE_MALFORMED' })
})

describe('the memory of good signatures', () => {
  const message = wire.utf8('what was said')
  const signature = wire.signContent(node, 'geotrace/change', message)
  const holds = (key: Uint8Array, domain: wire.SignatureDomain, content: Uint8Array, own: Uint8Array) =>
    wire.isValidSignature(key, domain, content, own)

  it('a remembered signature is accepted again, and any other bit, length or purpose is refused', () => {
    for (let again = 0; again < 3; again++) {
      expect(holds(node.key, 'geotrace/change', message, signature)).toBe(true)
      for (let bit = 0; bit < 512; bit += 37) {
        const other = signature.slice()
        other[bit >> 3]! ^= 1 << (bit & 7)
        expect(holds(node.key, 'geotrace/change', message, other)).toBe(false)
      }
      const key = node.key.slice()
      key[0]! ^= 1
      expect(holds(key, 'geotrace/change', message, signature)).toBe(false)
      expect(holds(testSigner('peer/birch').key, 'geotrace/change', message, signature)).toBe(false)
      expect(holds(node.key, 'geotrace/vote', message, signature)).toBe(false)
      expect(holds(node.key, 'geotrace/change', wire.utf8('what was sai'), signature)).toBe(false)
      expect(holds(node.key, 'geotrace/change', wire.utf8('what was said '), signature)).toBe(false)
      expect(holds(node.key.slice(1), 'geotrace/change', message, signature)).toBe(false)
      expect(holds(node.key, 'geotrace/change', message, signature.slice(1))).toBe(false)
    }
  })

  it('a remembered signature is refused when bytes move from one field into the next', () => {
    const joined = wire.concatBytes(node.key, signature)
    expect(holds(joined.slice(0, 31), 'geotrace/change', message, joined.slice(31))).toBe(false)
    expect(holds(joined.slice(0, 33), 'geotrace/change', message, joined.slice(33))).toBe(false)
  })
})

/** SHA-512 as a little-endian number, as in RFC 8032. */
function toScalar(message: Uint8Array): bigint {
  return createHash('sha512')
    .update(message)
    .digest()
    .reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
}
