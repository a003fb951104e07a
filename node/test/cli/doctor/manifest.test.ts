import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CORE_SHA256 } from '@geotrace/core-wasm'
import { PLAIN_SALTING } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkCore, checkFederation, checkSalting } from '../../../src/cli/doctor/manifest.ts'
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

  it('plain salting is a warning that says WEAK, and threshold salting names the price of a shared address', async () => {
    const { parameters } = await localManifest({ hosts: Array(6).fill('127.0.0.1'), at: 0 })
    expect(checkSalting({ parameters })).toEqual({
      check: 'salting',
      severity: 'ok',
      what: 'threshold, 3 of 5: so many replicas answer for a place, and fewer know nothing. With 16 devices per address, one address can test 17 600 cells of an epoch, 0.3 % of a region',
    })
    const plain = checkSalting({ parameters: { ...parameters, ...PLAIN_SALTING } })
    expect(plain).toMatchObject({ severity: 'warn', what: expect.stringContaining('WEAK') })
  })

  it('a manifest that pins another build of the core gives a problem', () => {
    expect(checkCore({ core: { ...CORE_SHA256 } }).severity).toBe('ok')
    expect(checkCore({ core: { ...CORE_SHA256, simd: 'a'.repeat(64) } }).severity).toBe('fail')
  })
})
