import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { DEMO_PHRASE, EPOCH_MS } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { abstainsUntil, markRestored } from '../../../src/cli/salt/restored.ts'
import { openBackup, sealBackup } from '../../../src/cli/salt/sealed-backup.ts'
import { localManifest } from '../../../src/local/local-federation.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { geotrace } from '../geotrace.ts'

let dir: string
const at = (name: string) => join(dir, name)
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-backup-'))
})
afterAll(() => rm(dir, { recursive: true }))

describe('a sealed backup', () => {
  const content = {
    secret: systemRandom(32),
    operatorSecret: systemRandom(32),
    federation: '{"a":1}',
    madeMs: 1_800_000_000_000,
  }
  /** Cheap: what is tested is not how long a guess takes. */
  const seal = () => sealBackup(content, 'correct horse battery', systemRandom, 4)

  it('opens with its passphrase, however it was typed, and with no other', async () => {
    const sealed = await seal()
    expect(await openBackup(sealed, 'correct horse battery')).toEqual(content)
    await expect(openBackup(sealed, 'correct horse batterz')).rejects.toMatchObject({ code: 'BACKUP_UNREADABLE' })
    const accent = await sealBackup(content, 'caf\u00e9 au lait noir', systemRandom, 4)
    expect(await openBackup(accent, 'cafe\u0301 au lait noir')).toEqual(content)
    const bare = { ...content, operatorSecret: undefined, federation: undefined }
    expect(await openBackup(await sealBackup(bare, 'x', systemRandom, 4), 'x')).toEqual(bare)
  })

  it('notices any bit that changed, any byte cut off or added, and does not repeat itself', async () => {
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

  it('holds no key in the clear', async () => {
    const sealed = Buffer.from(await seal())
    for (const secret of [content.secret, content.operatorSecret]) {
      expect(sealed.includes(Buffer.from(secret))).toBe(false)
      expect(sealed.includes(Buffer.from(secret).toString('hex'))).toBe(false)
    }
  })

  it('is not opened at a cost that would take the machine’s memory', async () => {
    const sealed = await seal()
    sealed[18] = 30
    await expect(openBackup(sealed, 'correct horse battery')).rejects.toMatchObject({ code: 'BACKUP_UNREADABLE' })
  })
})

describe('a node that moves', () => {
  it('goes to a file and comes back on another machine, and neither step overwrites anything', async () => {
    await geotrace('salt', 'init', '--dir', at('old'), '--operator', 'anna')
    const manifest = JSON.stringify(
      await localManifest({ hosts: Array(6).fill('127.0.0.1'), at: 0, random: systemRandom }),
    )
    await writeFile(join(at('old'), 'federation.json'), manifest)
    await writeFile(at('passphrase'), 'correct horse battery\n')
    const secret = ['--passphrase-file', at('passphrase')]
    const save = (file: string) => geotrace('salt', 'backup', at(file), '--dir', at('old'), ...secret)
    const load = (to: string) => geotrace('salt', 'restore', at('node.backup'), '--dir', at(to), ...secret)

    const saved = await save('node.backup')
    expect(saved).toMatchObject({ code: 0, stdout: expect.stringContaining('peer.key, operator.key, federation.json') })
    expect((await stat(at('node.backup'))).mode & 0o777).toBe(0o600)
    const bytes = await readFile(at('node.backup'))
    expect(bytes.includes(DEMO_PHRASE)).toBe(false)
    expect((await save('node.backup')).code).toBe(2)
    expect((await readFile(at('node.backup'))).equals(bytes)).toBe(true)

    const restored = await load('new')
    expect(restored.code).toBe(0)
    expect(restored.stderr).toMatch(/Only one machine[\s\S]*no vote for two periods/)
    for (const name of ['peer.key', 'operator.key', 'federation.json']) {
      expect((await readFile(join(at('new'), name))).equals(await readFile(join(at('old'), name)))).toBe(true)
      expect((await stat(join(at('new'), name))).mode & 0o777).toBe(0o600)
    }
    expect((await stat(at('new'))).mode & 0o777).toBe(0o700)
    expect(existsSync(join(at('old'), 'restored'))).toBe(false)

    const key = await readFile(join(at('new'), 'peer.key'))
    const again = await load('new')
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('has keys already') })
    expect((await readFile(join(at('new'), 'peer.key'))).equals(key)).toBe(true)
  })

  it('asks for a passphrase worth the name, and never in an argument', async () => {
    await writeFile(at('short'), 'tooshort\n')
    const short = await geotrace('salt', 'backup', at('x'), '--dir', at('old'), '--passphrase-file', at('short'))
    expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining('at least 12') })
    const nobody = await geotrace('salt', 'backup', at('x'), '--dir', at('old'))
    expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining('--passphrase-file') })
    expect(existsSync(at('x'))).toBe(false)
  })
})

describe('a restored node', () => {
  it('gives no vote until two periods are over', async () => {
    const manifest = await localManifest({ hosts: Array(6).fill('127.0.0.1'), at: 0, random: systemRandom })
    const now = systemClock().now()
    expect(abstainsUntil(dir, manifest, now)).toBeUndefined()
    markRestored(dir, now)
    const untilMs = now + 2 * 18 * EPOCH_MS
    expect(abstainsUntil(dir, manifest, now)).toBe(untilMs)
    expect(abstainsUntil(dir, manifest, untilMs - 1)).toBe(untilMs)
    expect(abstainsUntil(dir, manifest, untilMs)).toBeUndefined()
    // A mark that nobody can read is no permission.
    await chmod(join(dir, 'restored'), 0o600)
    await writeFile(join(dir, 'restored'), 'yesterday')
    expect(abstainsUntil(dir, manifest, now)).toBe(untilMs)
  })
})
