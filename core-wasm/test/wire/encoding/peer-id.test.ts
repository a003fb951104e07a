import { createHash } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

describe('a peer id', () => {
  it('a key has the peer id that libp2p makes of it, and a peer id of another form is refused', async () => {
    for (let i = 0; i < 20; i++) {
      const seed = sha(Buffer.from(`peer ${i}`))
      const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(seed))
      const ours = wire.keyToPeerId(wire.secretToSigner(new Uint8Array(seed)).key)
      expect(ours).toBe(peerIdFromPrivateKey(key).toString())
      expect(wire.peerIdToKey(ours)).toEqual(wire.secretToSigner(new Uint8Array(seed)).key)
    }
    expect(wire.isValidPeerId('QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N')).toBe(false)
    expect(wire.isValidPeerId('0OIl')).toBe(false)
  })

  it('a long text is refused before its digits are decoded, which would take minutes', () => {
    expect(wire.isValidPeerId('x'.repeat(1_000_000))).toBe(false)
    // The largest key gives the longest peer id.
    const key = new Uint8Array(32).fill(255)
    expect(wire.peerIdToKey(wire.keyToPeerId(key))).toEqual(key)
  })
})
