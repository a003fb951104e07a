import { readFileSync } from 'node:fs'
import { ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { hexToBytes } from '@noble/hashes/utils.js'
import { expect, it } from 'vitest'
import { voprfVectors } from '../../src/testing/index.ts'
import { loadGroup } from '../../src/voprf/index.ts'

const group = await loadGroup()
const published = JSON.parse(readFileSync(new URL('../../vectors/voprf.json', import.meta.url), 'utf8'))
const { Fn } = ristretto255.Point
const { voprf } = ristretto255_oprf

it('the group gives the published answers of voprf.json', () => {
  expect(voprfVectors(group)).toEqual(published)
})

it('noble gives the published key of the cell under the published group key, from the published blind', () => {
  const secret = hexToBytes(published.groupKey)
  const publicKey = ristretto255.Point.BASE.multiply(Fn.fromBytes(secret)).toBytes()
  const [input, blinded] = [hexToBytes(published.cell.input), hexToBytes(published.cell.blinded)]
  const { evaluated, proof } = voprf.blindEvaluate(secret, publicKey, blinded)
  const output = voprf.finalize(input, hexToBytes(published.cell.blind), evaluated, blinded, publicKey, proof)
  expect(output.slice(0, 32)).toEqual(hexToBytes(published.key))
  const keys = published.parts.map((part: { key: string }) => ristretto255.Point.fromHex(part.key))
  const sum = keys.reduce((total: typeof ristretto255.Point.BASE, key: typeof total) => total.add(key))
  expect(sum.toBytes()).toEqual(publicKey)
})

it('noble accepts each published proof under the published share key, and under no other', () => {
  for (const { rank, evaluated, proof } of published.answers) {
    const items = [published.cell.blinded, published.padding.element].map((blinded, i) => ({
      ...{ input: new Uint8Array(8), blind: hexToBytes(published.cell.blind) },
      ...{ blinded: hexToBytes(blinded), evaluated: hexToBytes(evaluated[i]) },
    }))
    for (const [other, { key }] of published.shares.entries()) {
      const finalized = () => voprf.finalizeBatch(items, hexToBytes(key), hexToBytes(proof))
      if (other === rank) expect(finalized).not.toThrow()
      else expect(finalized).toThrow()
    }
  }
})
