import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEMO_PHRASE } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localManifest } from '../../../src/local/local-federation.ts'
import { run } from '../captured.ts'
import { geotrace, start } from '../geotrace.ts'

let dir: string
const at = (name: string) => join(dir, name)
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-backup-'))
})
afterAll(() => rm(dir, { recursive: true }))

describe('geotrace salt backup and restore', () => {
  it('a node moves to another machine by backup and restore, and neither command overwrites a file', async () => {
    await geotrace('salt', 'init', '--dir', at('old'), '--operator', 'anna')
    const manifest = JSON.stringify(await localManifest({ hosts: Array(6).fill('127.0.0.1'), at: 0 }))
    await writeFile(join(at('old'), 'federation.json'), manifest)
    await writeFile(at('passphrase'), 'correct horse battery\n', { mode: 0o600 })
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
    expect(restored.stderr).toMatch(/one machine only[\s\S]*no vote for two periods/)
    for (const name of ['peer.key', 'operator.key', 'federation.json']) {
      expect((await readFile(join(at('new'), name))).equals(await readFile(join(at('old'), name)))).toBe(true)
      expect((await stat(join(at('new'), name))).mode & 0o777).toBe(0o600)
    }
    expect((await stat(at('new'))).mode & 0o777).toBe(0o700)
    expect(existsSync(join(at('old'), 'restored'))).toBe(false)

    const key = await readFile(join(at('new'), 'peer.key'))
    const again = await load('new')
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('already has keys') })
    expect((await readFile(join(at('new'), 'peer.key'))).equals(key)).toBe(true)

    // A lost key comes back beside the other files of the node.
    await rm(join(at('new'), 'peer.key'))
    expect((await load('new')).code).toBe(0)
    expect((await readFile(join(at('new'), 'peer.key'))).equals(key)).toBe(true)
  })

  it('the keys of the central peer come back with the advice to bring its store back too', async () => {
    const [manifest, secret] = [join(at('central'), 'federation.json'), ['--passphrase-file', at('central-passphrase')]]
    const card = await run('central', 'init', '--dir', at('central'), '--host', 'central.example.org')
    expect(card.stderr.join()).toContain('holds no deposits, reports and marks')
    const founded = await localManifest({ hosts: Array(6).fill('127.0.0.1'), at: 0 })
    const central = { ...founded.central, peerId: (JSON.parse(card.stdout.join('')) as { peerId: string }).peerId }
    await writeFile(manifest, JSON.stringify({ ...founded, central }))
    await writeFile(at('central-passphrase'), 'correct horse battery\n', { mode: 0o600 })
    await run('salt', 'backup', at('central.backup'), '--dir', at('central'), ...secret)
    const restored = await run('salt', 'restore', at('central.backup'), '--dir', at('again'), ...secret)
    expect(restored.code).toBe(0)
    expect(restored.stderr.join()).toContain(`geotrace central restore BACKUP --dir ${at('again')}`)
    expect(restored.stderr.join()).not.toContain('salt run')
    expect(restored.stderr.join()).toContain('no vote for two periods')
  })

  it('a restored central peer gives no vote for two periods', async () => {
    const running = start('central', 'run', '--dir', at('again'), '--new-store')
    await expect.poll(() => running.stderr()).toMatch(/"untilMs":\d+.*"msg":"votes\.withheld"/)
    running.child.kill('SIGKILL')
    await running.ended
  })

  it('a backup needs a passphrase of twelve characters, from a file or from a terminal', async () => {
    await writeFile(at('short'), 'tooshort\n', { mode: 0o600 })
    const short = await geotrace('salt', 'backup', at('x'), '--dir', at('old'), '--passphrase-file', at('short'))
    expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining('at least 12') })
    const nobody = await geotrace('salt', 'backup', at('x'), '--dir', at('old'))
    expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining('--passphrase-file') })
    await chmod(at('passphrase'), 0o644)
    const exposed = await run('salt', 'backup', at('x'), '--dir', at('old'), '--passphrase-file', at('passphrase'))
    expect(exposed.code).not.toBe(0)
    expect(exposed.stderr.join('\n')).toMatch(/passphrase[\s\S]*chmod/)
    expect(existsSync(at('x'))).toBe(false)
  })
})
