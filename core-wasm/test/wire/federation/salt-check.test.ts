import { randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  foundRoster,
  testCommitments,
  testManifest,
  testSalt,
  testSigner,
  testTrees,
} from '../../../src/testing/founding.ts'
import { treeToPath } from '../../../src/testing/merkle-tree.ts'
import * as wire from '../../../src/wire/index.ts'
import { neverThrowsAnythingElse, refusesCutAndLong } from '../hostile.ts'

const manifest = testManifest()
const trees = testTrees(manifest)
const certified = foundRoster(manifest, trees)
const { roster } = certified
const shard = 2
const tree = trees[shard]!
const member = wire.shardToReplicas(roster, shard)[0]!
const signer = testSigner(`peer/${manifest.members[roster.members.indexOf(member)]!.operator}`)
const first = roster.firstEpoch
const blocks = [
  { size: 5, n: first * 16 + 3 },
  { size: 5, n: (first + 1) * 16 },
  { size: 80, n: first },
  { size: 80, n: first + 2 },
]

function answer(
  change: (epochs: wire.AnswerEpoch[]) => void = () => {},
  asked = blocks,
  signature = signer,
  head: { roster?: Uint8Array; shard?: number } = {},
): Uint8Array {
  const name = wire.hashToRosterName(certified.hash)
  const epochs = [...wire.blocksToMasks(asked)].map(([epoch, mask]) => ({
    epoch,
    mask,
    entries: wire
      .epochToBlocks(epoch)
      .map(({ size, n }, i) => ((mask >>> i) & 1 ? testSalt(shard, size, n) : testCommitments(shard, epoch)[i]!)),
    path: treeToPath(tree, epoch - first),
  }))
  change(epochs)
  const request = wire.encodeSaltRequest({ roster: name, shard, blocks })
  const unsigned = wire.encodeUnsignedAnswer({ time: 1_795_000_000_000, roster: name, shard, epochs, ...head })
  return wire.concatBytes(
    unsigned,
    wire.signContent(signature, 'geotrace/salt-answer', wire.answerContent(request, unsigned)),
  )
}
const check = (bytes: Uint8Array) => wire.answerToSalts(bytes, certified, shard, blocks, member.key)

describe('an answer', () => {
  it('a correct answer gives the salts', () => {
    const { salts, time } = check(answer())
    expect(salts).toEqual(blocks.map(({ size, n }) => testSalt(shard, size, n)))
    expect(time).toBe(1_795_000_000_000)
  })

  it('an answer with five epochs and the longest path fits its frame', () => {
    const head = 1 + 8 + 8 + 2 + 1
    expect(head + 5 * (4 + 4 + 31 * 32 + 1 + 16 * 32) + 64).toBeLessThanOrEqual(wire.SALT_ANSWER_MAX_BYTES)
  })

  it('an answer that is cut, too long or garbled is refused', () => {
    refusesCutAndLong(answer(), wire.decodeSaltAnswer)
    neverThrowsAnythingElse(answer(), wire.decodeSaltAnswer)
  })

  it('an answer with any flipped bit is refused', () => {
    const good = answer()
    for (let i = 0; i < 300; i++) {
      const bad = good.slice()
      bad[randomInt(bad.length)]! ^= 1 << randomInt(8)
      expect(() => check(bad)).toThrow(wire.FederationError)
    }
  })

  const lie = expect.objectContaining({ code: 'PEER_LIED' })
  it('a signed answer with a wrong salt, commitment, path or mask is a lie', () => {
    expect(() => check(answer((e) => void (e[0]!.entries[3] = new Uint8Array(32))))).toThrow(lie)
    expect(() => check(answer((e) => void (e[1]!.entries[30] = new Uint8Array(32))))).toThrow(lie)
    expect(() => check(answer((e) => void (e[0]!.path[0] = new Uint8Array(32))))).toThrow(lie)
    expect(() => check(answer((e) => void e[0]!.path.pop()))).toThrow(lie)
    expect(() => check(answer((e) => void (e[0]!.mask ^= 2)))).toThrow(lie)
    expect(() => check(answer((e) => void e.pop()))).toThrow(lie)
    expect(() => check(answer((e) => void (e[2]!.epoch += 1)))).toThrow(lie)
  })

  it('an answer with a commitment instead of a salt, or with a salt that was not requested, is a lie', () => {
    // The line and the path are right. Only the mask shows that the requested salt is missing.
    const without = answer(([epoch]) => {
      epoch!.mask &= ~(1 << 3)
      epoch!.entries[3] = testCommitments(shard, first)[3]!
    })
    expect(() => check(without)).toThrow(lie)
    const more = answer(([epoch]) => {
      epoch!.mask |= 1 << 4
      epoch!.entries[4] = testSalt(shard, 5, first * 16 + 4)
    })
    expect(() => check(more)).toThrow(lie)
    // The same for whole epochs: another epoch, or one more.
    const epochOf = (epoch: number, mask: number): wire.AnswerEpoch => ({
      epoch,
      mask,
      entries: testCommitments(shard, epoch).map((commitment, i) => {
        const { size, n } = wire.epochToBlocks(epoch)[i]!
        return (mask >>> i) & 1 ? testSalt(shard, size, n) : commitment
      }),
      path: treeToPath(tree, epoch - first),
    })
    expect(() => check(answer((e) => void (e[2] = epochOf(first + 3, 1))))).toThrow(lie)
    expect(() => check(answer((e) => void e.push(epochOf(first + 3, 1))))).toThrow(lie)
  })

  it('an answer signed by another member or made for another request is a lie', () => {
    expect(() => check(answer(() => {}, blocks, testSigner('peer/office')))).toThrow(lie)
    const other = answer()
    expect(() => wire.answerToSalts(other, certified, shard, blocks.slice(1), member.key)).toThrow(lie)
    expect(() => wire.answerToSalts(other, certified, shard + 1, blocks, member.key)).toThrow(lie)
    expect(() => check(answer(() => {}, blocks, signer, { shard: shard + 1 }))).toThrow(lie)
    expect(() => check(answer(() => {}, blocks, signer, { roster: new Uint8Array(8) }))).toThrow(lie)
  })
})
