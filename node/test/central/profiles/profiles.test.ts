import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readAuditLog } from '../../../src/admin/audit-log.ts'
import { BUILT_IN, diffSettings, stayToScore, toSettings } from '../../../src/central/profiles/settings.ts'
import { appendProfile, readProfiles, signProfile, versionToConfig } from '../../../src/central/profiles/versions.ts'
import { SEED_PROFILE } from '../../../src/central/risk/risk-profile.ts'
import { createIdentity } from '../../../src/cli/identity/identity.ts'
import { nativeSigner } from '../../../src/platform/native-signer.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { run } from '../../cli/captured.ts'
import { type Device, world } from '../world.ts'

describe('profiles', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'geotrace-profiles-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))
  const signer = nativeSigner(new Uint8Array(32).fill(7))

  it('the built-in profiles are valid, and seed has the numbers of the risk rule', () => {
    for (const settings of Object.values(BUILT_IN)) expect(toSettings(settings)).toEqual(settings)
    expect(BUILT_IN.seed).toMatchObject(SEED_PROFILE)
    // 3 blocks of 5, 2 of 10, and one of each longer size.
    expect(stayToScore(SEED_PROFILE, 15)).toBe(2 * (3 * 16 + 2 * 8 + 4 + 2 + 1))
    expect(diffSettings(BUILT_IN.seed, BUILT_IN.dose)).toEqual(['name: seed → dose', 'thresholds: 1 → 142'])
  })

  it('settings with a wrong number, a missing or an unknown name are refused', () => {
    const { latencyEpochs: _, ...short } = BUILT_IN.seed
    for (const wrong of [
      short,
      { ...BUILT_IN.seed, more: 1 },
      { ...BUILT_IN.seed, degrees: 6 },
      { ...BUILT_IN.seed, thresholds: [5, 4] },
      { ...BUILT_IN.seed, infectiousAfter: 61 },
      { ...BUILT_IN.seed, sizes: { ...BUILT_IN.seed.sizes, 15: 1 } },
      { ...BUILT_IN.seed, name: 'Seed!' },
      undefined,
    ])
      expect(() => toSettings(wrong)).toThrow(expect.objectContaining({ code: 'COMMAND_INVALID' }))
  })

  it('versions follow each other, each signed, and a changed, foreign or missing one is named as damage', async () => {
    expect(await readProfiles(dir, signer.key)).toEqual([])
    const first = signProfile(BUILT_IN.dose, 1, 5, signer)
    await appendProfile(dir, signer.key, first)
    await expect(appendProfile(dir, signer.key, first)).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    const foreign = signProfile(BUILT_IN.seed, 2, 6, nativeSigner(new Uint8Array(32).fill(8)))
    await expect(appendProfile(dir, signer.key, foreign)).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
    // The order of names in a file does not matter to the signature.
    const { name, ...rest } = BUILT_IN.seed
    await appendProfile(dir, signer.key, { ...signProfile(BUILT_IN.seed, 2, 6, signer), settings: { ...rest, name } })
    const versions = await readProfiles(dir, signer.key)
    expect(versions.map(({ version, settings }) => [version, settings.name])).toEqual([
      [1, 'dose'],
      [2, 'seed'],
    ])
    const path = join(dir, 'profiles.json')
    const text = readFileSync(path, 'utf8')
    for (const damaged of [
      text.replace('142', '141'),
      JSON.stringify([versions[1]]),
      '[',
      text.replace('"at":5', '"at":6'),
    ]) {
      writeFileSync(path, damaged)
      await expect(readProfiles(dir, signer.key)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    }
  })

  it('each computation keeps the name and the version of its profile, also when another version marks the same', async () => {
    const first = await world({ config: versionToConfig(signProfile(BUILT_IN.seed, 1, 5, signer)) })
    const code = (await first.codes.issue({ count: 1, days: 1 })).codes[0]!
    const [reporter, guest] = [first.device(), first.device()] as [Device, Device]
    await guest.sync({ rows: { [first.epoch()]: ['table'] } })
    await reporter.sync({ rows: { [first.epoch()]: ['table'] }, code })
    await first.risk.settled()
    const profileOf = async (w: typeof first) => w.risk.factsOf((await w.store.reports())[0]!).profile
    expect(await profileOf(first)).toEqual({ name: 'seed', version: 1 })
    const { store, clock, manifest } = first
    await first.risk.stop()
    for (const [settings, version, marked] of [
      [BUILT_IN.dose, 2, 0],
      [BUILT_IN.seed, 3, 1],
      [{ ...BUILT_IN.seed, infectiousAfter: 9 }, 4, 1],
    ] as const) {
      const next = await world({
        store,
        clock,
        manifest,
        config: versionToConfig(signProfile(settings, version, 5, signer)),
      })
      await next.risk.settled()
      expect(await profileOf(next)).toEqual({ name: settings.name, version })
      expect(await store.markedUsers(1)).toHaveLength(marked)
      await next.risk.stop()
    }
  })

  it('the command shows, compares, sets and rolls back profiles, asks first, and writes the audit log', async () => {
    const home = join(dir, 'central')
    await createIdentity(home, systemRandom)
    const profile = (...words: string[]) => run('central', 'profile', ...words, '--dir', home)
    expect((await profile('list')).stdout).toEqual(['No version yet: the profile seed is in force.'])
    const file = join(dir, 'dose.json')
    writeFileSync(file, (await profile('show', 'dose')).stdout.join('\n').replace('"degrees": 2', '"degrees": 3'))
    expect((await profile('diff', file)).stdout).toEqual(['name: seed → dose', 'degrees: 2 → 3', 'thresholds: 1 → 142'])
    // A program cannot be asked.
    expect((await profile('set', file)).code).toBe(2)
    expect((await profile('set', file, '--yes')).stdout[0]).toMatch(/^Version 1, dose, is signed by 12D3KooW/)
    expect((await profile('set', 'seed', '--yes')).code).toBe(0)
    expect((await profile('set', 'seed', '--yes')).code).toBe(2)
    expect((await profile('diff', '1', '2')).stdout).toEqual([
      'name: dose → seed',
      'degrees: 3 → 2',
      'thresholds: 142 → 1',
    ])
    expect((await profile('rollback', '1', '--yes')).code).toBe(0)
    expect((await profile('rollback', '9', '--yes')).code).toBe(2)
    expect((await profile('show')).stdout.join('\n')).toBe(readFileSync(file, 'utf8'))
    const listed = (await profile('list')).stdout
    expect(listed.map((line) => line.replace(/\d{4}.*UTC/, 'TIME').trimEnd())).toEqual([
      'version  name  signed                changes',
      '1        dose  TIME  name: seed → dose; degrees: 2 → 3; thresholds: 1 → 142',
      '2        seed  TIME  name: dose → seed; degrees: 3 → 2; thresholds: 142 → 1',
      '3        dose  TIME  name: seed → dose; degrees: 2 → 3; thresholds: 1 → 142',
    ])
    const { lines, broken } = await readAuditLog(home)
    expect([broken, lines.map(({ action, details }) => [action, details.version])]).toEqual([
      [],
      [
        ['profile.set', 1],
        ['profile.set', 2],
        ['profile.set', 3],
      ],
    ])
  })
})
