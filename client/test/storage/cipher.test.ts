import { createDecipheriv, pbkdf2Sync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bytesToKey, open, passphraseToKey, seal } from '../../src/storage/cipher.ts'

const KEY = new Uint8Array(32).fill(7)
const head = { iv: new Uint8Array(12).fill(1), header: Uint8Array.of(1, 2, 3) }
const plain = Uint8Array.from({ length: 100 }, (_, i) => i)

/** Opens sealed bytes with Node's own AES-GCM. */
function openWithNode(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  const cipher = createDecipheriv('aes-256-gcm', key, head.iv)
  cipher.setAAD(head.header)
  cipher.setAuthTag(sealed.subarray(-16))
  return Uint8Array.from([...cipher.update(sealed.subarray(0, -16)), ...cipher.final()])
}

describe('the cipher', () => {
  it('sealed bytes are AES-256-GCM with the header as additional data', async () => {
    const key = await bytesToKey(KEY)
    const sealed = await seal(key, head, plain)
    expect(openWithNode(KEY, sealed)).toEqual(plain)
    expect(await open(key, head, sealed)).toEqual(plain)
  })

  it('sealed bytes do not open with another key, nonce or header, nor with changed or missing bytes', async () => {
    const key = await bytesToKey(KEY)
    const sealed = await seal(key, head, plain)
    const changed = sealed.map((byte, i) => (i === 50 ? byte ^ 1 : byte))
    const other = await bytesToKey(new Uint8Array(32))
    const attempts = [
      () => open(other, head, sealed),
      () => open(key, { ...head, iv: new Uint8Array(12) }, sealed),
      () => open(key, { ...head, header: Uint8Array.of(1, 2, 4) }, sealed),
      () => open(key, head, changed),
      () => open(key, head, sealed.subarray(0, 10)),
    ]
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ name: 'OperationError' })
    await expect(async () => bytesToKey(new Uint8Array(31))).rejects.toThrow(RangeError)
  })

  it('a passphrase becomes a key by PBKDF2-HMAC-SHA256', async () => {
    const [passphrase, salt] = [Buffer.from('correct horse'), new Uint8Array(16).fill(9)]
    const sealed = await seal(await passphraseToKey(passphrase, salt, 1_000), head, plain)
    expect(openWithNode(pbkdf2Sync(passphrase, salt, 1_000, 32, 'sha256'), sealed)).toEqual(plain)
  })
})
