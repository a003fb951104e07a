import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'

describe('a signature', () => {
  it('a signature and its key are those of RFC 8032 §7.1, test 1', () => {
    const secret = wire.hexToBytes('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
    expect(wire.bytesToHex(wire.secretToSigner(secret).key)).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    )
    expect(wire.bytesToHex(wire.secretToSigner(secret).sign(new Uint8Array(0)))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    )
  })
  it('a signature is valid for its own domain, content and key only', () => {
    const signer = wire.secretToSigner(new Uint8Array(32).fill(1))
    const other = wire.secretToSigner(new Uint8Array(32).fill(2))
    const content = wire.utf8('content')
    const signature = wire.signContent(signer, 'geotrace/vote', content)
    expect(wire.isValidSignature(signer.key, 'geotrace/vote', content, signature)).toBe(true)
    expect(wire.isValidSignature(signer.key, 'geotrace/sheet', content, signature)).toBe(false)
    expect(wire.isValidSignature(other.key, 'geotrace/vote', content, signature)).toBe(false)
    expect(wire.isValidSignature(signer.key, 'geotrace/vote', wire.utf8('contenu'), signature)).toBe(false)
    expect(wire.isValidSignature(signer.key, 'geotrace/vote', content, signature.slice(1))).toBe(false)
  })
})
