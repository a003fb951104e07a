import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CORE_SHA256 } from '@geotrace/core-wasm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkCore, checkFederation } from '../../../src/cli/doctor/manifest.ts'
import { localManifest } from '../../../src/local/local-federation.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-doctor-'))
})
afterAll(() => rm(dir, { recursive: true }))

describe('the checks of federation.json', () => {
  it('a missing and an invalid manifest each give a problem with a next step', async () => {
    const missing = checkFederation(join(dir, 'federation.json'))
    expect(missing).toMatchObject({ manifest: undefined, finding: { severity: 'fail' } })
    expect(missing.finding.next).toContain(join(dir, 'federation.json'))
    await writeFile(join(dir, 'broken.json'), '{}')
    const broken = checkFederation(join(dir, 'broken.json'))
    expect(broken).toMatchObject({ manifest: undefined, finding: { severity: 'fail' } })
    expect(broken.finding.next).toMatch(/ask your founder/)
  })

  it('a valid manifest gives the numbers of its salt nodes and of their operators', async () => {
    const manifest = await localManifest({ hosts: Array(6).fill('127.0.0.1'), at: 0 })
    await writeFile(join(dir, 'valid.json'), JSON.stringify(manifest))
    expect(checkFederation(join(dir, 'valid.json'))).toMatchObject({
      manifest: { name: manifest.name },
      finding: { severity: 'ok', what: expect.stringContaining('5 salt nodes of 5 operators') },
    })
  })

  it('a manifest that pins another build of the core gives a problem', () => {
    expect(checkCore({ core: { ...CORE_SHA256 } }).severity).toBe('ok')
    expect(checkCore({ core: { ...CORE_SHA256, simd: 'a'.repeat(64) } }).severity).toBe('fail')
  })
})
