import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toFinding } from '../../../src/cli/doctor/finding.ts'
import { localManifest } from '../../../src/local/local-federation.ts'
import { run } from '../captured.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'geotrace-doctor-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

describe('geotrace doctor', () => {
  it.each([
    ['a folder', '/', /^geotrace: cannot read \/: expected a file, got a folder$/],
    ['a missing file', '/none.json', /^geotrace: no federation file at \/none\.json$/],
    ['a path below a file', '/dev/null/x', /^geotrace: cannot use \/dev\/null\/x: a part of the path is a file$/],
  ])('--federation that names %s is one sentence without any finding', async (_, path, sentence) => {
    const { code, stdout, stderr } = await run('doctor', '--dir', dir, '--federation', path)
    expect({ code, stdout }).toEqual({ code: 2, stdout: [] })
    expect(stderr).toEqual([expect.stringMatching(sentence), expect.stringMatching(/^ {2}→ \S/)])
  })

  it('a folder in the place of federation.json is a problem, and the other checks still run', async () => {
    const own = join(dir, 'folder')
    mkdirSync(join(own, 'federation.json'), { recursive: true, mode: 0o700 })
    const { code, stdout, stderr } = await run('doctor', '--dir', own)
    expect({ code, stderr }).toEqual({ code: 1, stderr: [] })
    expect(stdout).toContain(
      `FAIL  federation  cannot read ${join(own, 'federation.json')}: expected a file, got a folder`,
    )
    expect(stdout.at(-1)).toMatch(/^2 problems, /)
  })

  it('a file in the place of the records is a problem, and the other checks still run', async () => {
    const own = join(dir, 'records')
    mkdirSync(own, { mode: 0o700 })
    writeFileSync(join(own, 'records'), '')
    const manifest = await localManifest({ hosts: Array(6).fill('127.0.0.1'), at: 0 })
    writeFileSync(join(own, 'federation.json'), JSON.stringify(manifest))
    const { code, stdout, stderr } = await run('doctor', '--dir', own)
    expect({ code, stderr }).toEqual({ code: 1, stderr: [] })
    expect(stdout.find((line) => /^\w+ +records /.test(line))).toMatch(
      /^FAIL {2}records .*a part of the path is a file/,
    )
    expect(stdout.at(-1)).toMatch(/^2 problems, /)
  })

  it('a fault of the program stays an error and becomes no finding', () => {
    expect(() => toFinding('disk', new TypeError('x'))).toThrow(TypeError)
  })
})
