import { describe, expect, it } from 'vitest'
import { openBackup, sealBackup } from '../../../src/cli/salt/sealed-backup.ts'
import { systemRandom } from '../../../src/platform/random.ts'

describe('a sealed backup', () => {
  const content = {
    secret: systemRandom(32),
    operatorSecret: systemRandom(32),
    federation: '{"a":1}',
    madeMs: 1_800_000_000_000,
  }
  /** A low scrypt cost keeps the test fast. */
  const seal = () => sealBackup(content, 'correct horse battery', systemRandom, 4)

  it('a backup opens with its passphrase in any Unicode form, and with no other passphrase', async () => {
    const sealed = await seal()
    expect(await openBackup(sealed, 'correct horse battery')).toEqual(content)
    await expect(openBackup(sealed, 'correct horse batterz')).rejects.toMatchObject({ code: 'BACKUP_UNREADABLE' })
    const accent = await sealBackup(content, 'caf\u00e9 au lait noir', systemRandom, 4)
    expect(await openBackup(accent, 'cafe\u0301 au lait noir')).toEqual(content)
    const bare = { ...content, operatorSecret: undefined, federation: undefined }
    expect(await openBackup(await sealBackup(bare, 'x', systemRandom, 4), 'x')).toEqual(bare)
  })

  it('a backup with a changed bit, a missing byte or an additional byte does not open, and no two backups are equal', async () => {
    const sealed = await seal()
    expect(Buffer.from(await seal()).equals(sealed)).toBe(false)
    for (let i = 0; i < sealed.length; i++) {
      const bent = Uint8Array.from(sealed)
      bent[i]! ^= 1 << (i % 8)
      await expect(openBackup(bent, 'correct horse battery'), `byte ${i}`).rejects.toMatchObject({
        code: 'BACKUP_UNREADABLE',
      })
    }
    for (const bytes of [
      new Uint8Array(0),
      sealed.slice(0, 46),
      sealed.slice(0, -1),
      Uint8Array.from([...sealed, 0]),
    ]) {
      await expect(openBackup(bytes, 'correct horse battery')).rejects.toMatchObject({ code: 'BACKUP_UNREADABLE' })
    }
  })

  it('a backup contains no key in plain text', async () => {
    const sealed = Buffer.from(await seal())
    for (const secret of [content.secret, content.operatorSecret]) {
      expect(sealed.includes(Buffer.from(secret))).toBe(false)
      expect(sealed.includes(Buffer.from(secret).toString('hex'))).toBe(false)
    }
  })

  it('a backup with a scrypt cost above the limit does not open', async () => {
    const sealed = await seal()
    sealed[18] = 30
    await expect(openBackup(sealed, 'correct horse battery')).rejects.toMatchObject({ code: 'BACKUP_UNREADABLE' })
  })
})
