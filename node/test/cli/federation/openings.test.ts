import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testManifest } from '@geotrace/core-wasm/testing'
import { bytesToHex, completeManifest, manifestToId } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Opening, openingsToNonces, readOpenings } from '../../../src/cli/federation/openings.ts'

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'geotrace-openings-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

const manifest = testManifest()
const federation = bytesToHex(manifestToId(manifest))
const openings: Opening[] = [...manifest.members, manifest.central].map(({ peerId }, i) => ({
  ...{ federation, peerId, nonce: manifest.openings[i]! },
}))
const refuse = (given: readonly Opening[], reason: RegExp) =>
  expect(() => openingsToNonces(manifest, given), `${reason}`).toThrow(reason)

describe('the openings of a founding', () => {
  it('the founder completes the manifest with the openings of all members, in any order and more than once', () => {
    const { openings: _, ...frozen } = manifest
    const given = [...openings].reverse().concat(openings[2]!)
    expect(completeManifest(frozen, openingsToNonces(frozen, given))).toEqual(manifest)
    // A wrong opening does not hide the right one.
    const wrong = { ...openings[2]!, nonce: '11'.repeat(32) }
    expect(openingsToNonces(frozen, [wrong, ...openings])).toHaveLength(6)
  })

  it('the founder learns which members are missing, and how to found without them', () => {
    refuse(openings.slice(1), /1 of 6 openings are missing or wrong: ash; Wait for them\./)
    refuse(openings.slice(1), /found again without it: all others run init once more/)
    refuse([], /6 of 6 openings are missing or wrong: ash, birch, cedar, elm, fir, office/)
    const swapped = [{ ...openings[0]!, nonce: openings[1]!.nonce }, ...openings.slice(1)]
    refuse(swapped, /1 of 6 openings are missing or wrong: ash/)
  })

  it('the founder learns which member opened another manifest', () => {
    const other = { ...openings[3]!, federation: '22'.repeat(32) }
    refuse([...openings, other], new RegExp(`opening of ${other.peerId} is for federation 2222222222222222`))
  })

  it('a file holds one opening a line, and a file of another kind is refused with its name', async () => {
    const path = join(dir, 'openings.json')
    await writeFile(path, `${openings.map((opening) => JSON.stringify(opening)).join('\r\n')}\n\n`)
    expect(readOpenings(path)).toEqual(openings)
    for (const text of ['', '\n', '{', '[]', JSON.stringify(manifest), JSON.stringify({ ...openings[0], more: 1 })]) {
      await writeFile(path, text)
      expect(() => readOpenings(path), text.slice(0, 20)).toThrow(/openings\.json.*federation open/)
    }
    expect(() => readOpenings(join(dir, 'none.json'))).toThrow(/no opening at .*none\.json/)
  })
})
