import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from '../captured.ts'

let root: string
let dir: string
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'geotrace-identity-'))
  dir = join(root, 'node')
  expect(await run('salt', 'init', '--dir', dir)).toMatchObject({ code: 0 })
})
afterEach(() => rmSync(root, { recursive: true }))

const content = (): Record<string, string> =>
  Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'hex')]))

describe('a directory that has lost a key', () => {
  it('without peer.key every command advises the backup, makes no new key and keeps the card', async () => {
    rmSync(join(dir, 'peer.key'))
    const before = content()
    for (const words of [
      ['salt', 'init'],
      ['salt', 'init', '--host', '192.0.2.7'],
      ['salt', 'run'],
      ['salt', 'backup', join(root, 'backup')],
      ['federation', 'open'],
      ['federation', 'join'],
    ]) {
      const { code, stdout, stderr } = await run(...words, '--dir', dir)
      expect({ code, stdout }, words.join(' ')).toEqual({ code: 2, stdout: [] })
      expect(stderr[0], words.join(' ')).toMatch(/peer\.key/)
      expect(stderr[1], words.join(' ')).toBe(`  → restore your backup: geotrace salt restore FILE --dir ${dir}`)
      expect(stderr.join('\n')).not.toMatch(/salt init/)
    }
    expect(content()).toEqual(before)
    expect(existsSync(join(root, 'backup'))).toBe(false)
  })

  it('without peer.key doctor advises the backup too, and new keys only where no node was', async () => {
    rmSync(join(dir, 'peer.key'))
    const advice = async (at: string): Promise<string | undefined> => {
      const { stdout } = await run('doctor', '--dir', at)
      return stdout[stdout.findIndex((line) => line.includes('no peer.key in')) + 1]?.trim()
    }
    expect(await advice(dir)).toBe(`→ restore your backup: geotrace salt restore FILE --dir ${dir}`)
    expect(await advice(join(root, 'none'))).toMatch(/^→ run `geotrace salt init`/)
  })

  it('without operator.key salt init makes no second operator, and names the other machine too', async () => {
    rmSync(join(dir, 'operator.key'))
    const before = content()
    const { code, stderr } = await run('salt', 'init', '--dir', dir)
    expect(code).toBe(2)
    expect(stderr[0]).toMatch(/operator\.key is missing/)
    expect(stderr.slice(1).join(' ')).toMatch(/restore your backup: .* on the machine that has this key/)
    expect(content()).toEqual(before)
  })

  it('a peer.key of another length is refused and not replaced', async () => {
    writeFileSync(join(dir, 'peer.key'), Buffer.alloc(31, 1))
    const before = content()
    expect((await run('salt', 'init', '--dir', dir)).code).toBe(2)
    expect(content()).toEqual(before)
  })
})
