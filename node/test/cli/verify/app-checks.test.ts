import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { DAY_MS, FederationError, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { afterAll, describe, expect, it } from 'vitest'
import { watchRelease } from '../../../src/cli/salt/release-watch.ts'
import { appText } from '../../../src/cli/status.ts'
import { checkApps } from '../../../src/cli/verify/app-checks.ts'
import { readOwnRelease } from '../../../src/cli/verify/own-release.ts'
import { readBuilt } from '../../../src/cli/verify/release.ts'
import { silent } from '../../../src/platform/log.ts'

const dir = mkdtempSync(join(tmpdir(), 'geotrace-apps-'))
afterAll(() => rmSync(dir, { recursive: true }))
const [one, two] = ['https://one.example.org', 'https://two.example.org']
const NOW = 100 * DAY_MS
const release = { id: 'a'.repeat(64), app: { 'index.html': 'b'.repeat(64) } }

/** Checks both apps and returns the addresses that were fetched. The second app does not answer. */
async function fetched(nowMs: number, of = release) {
  const asked: string[] = []
  const compare = async (_files: unknown, url: URL) => {
    asked.push(url.href)
    if (url.origin === two) throw new FederationError('PEER_UNREACHABLE', 'no answer', { tried: 1 })
    return [{ path: 'index.html', how: 'changed' as const }]
  }
  const checks = await checkApps({ dir, release: of, apps: [one, two], nowMs, compare })
  return { asked, checks }
}

describe('the web apps of a federation', () => {
  it('each app is fetched once a day, also after a restart, and anew for another release', async () => {
    const first = await fetched(NOW)
    expect(first.asked).toEqual([`${one}/`, `${two}/`])
    expect(first.checks).toEqual([
      { origin: one, atMs: NOW, differences: 1, first: 'index.html' },
      { origin: two, atMs: NOW, problem: 'no answer' },
    ])
    expect(await fetched(NOW + DAY_MS - 1)).toEqual({ asked: [], checks: first.checks })
    expect((await fetched(NOW + DAY_MS)).asked).toHaveLength(2)
    expect((await fetched(NOW)).asked).toHaveLength(2)
    expect((await fetched(NOW + 1, { ...release, id: 'c'.repeat(64) })).asked).toHaveLength(2)
  })

  it('a damaged file of results is written anew', async () => {
    writeFileSync(join(dir, 'app-checks.json'), '{"release":')
    expect((await fetched(NOW)).asked).toHaveLength(2)
    expect(JSON.parse(readFileSync(join(dir, 'app-checks.json'), 'utf8')).checks).toHaveLength(2)
  })

  it('the status says match, difference, silence, and that nothing was checked', () => {
    expect(appText({ origin: one })).toBe('not checked yet')
    expect(appText({ origin: one, atMs: 0, differences: 0 })).toContain('matches the release')
    expect(appText({ origin: one, atMs: 0, differences: 2, first: 'a.js' })).toContain('2 files differ')
    expect(appText({ origin: one, atMs: 0, problem: 'no answer' })).toContain('not checked: no answer')
  })
})

describe('the watch of a running node', () => {
  it('a node checks the apps of the newest roster a while after its start, and not without a release', async () => {
    // Results of today are in the file, so nothing is fetched here.
    await fetched(NOW)
    const clock = simulatedClock(NOW)
    const init = { dir, apps: () => [one], clock, log: silent }
    const watch = watchRelease({ ...init, release: { ...release, differences: [] } })
    const none = watchRelease({ ...init, release: undefined })
    for (const started of [watch, none]) started.start()
    expect(watch.status()).toEqual({ id: release.id, differences: 0, apps: [{ origin: one }] })
    await clock.advanceTo(NOW + 3 * MINUTE_MS)
    await expect.poll(() => watch.status().apps[0]).toMatchObject({ origin: one, differences: 1, first: 'index.html' })
    expect(none.status()).toEqual({ apps: [{ origin: one }] })
    watch.stop()
    none.stop()
  })

  it('an installation has a release only with a file of one, and every file that differs is named', async () => {
    expect(await readOwnRelease(dir)).toBeUndefined()
    const built = await readBuilt(dir).catch(() => undefined)
    expect(built).toBeUndefined()
    writeFileSync(join(dir, 'package-lock.json'), '{}')
    const other = { ...(await readBuilt(dir)), version: 1, commit: 'a'.repeat(40), node: '20.19.0' }
    const trees = { ...other.trees, 'node/dist': { 'no-such-file.js': 'd'.repeat(64) } }
    writeFileSync(join(dir, 'release.json'), JSON.stringify({ ...other, trees }))
    const own = await readOwnRelease(dir)
    expect(own!.differences).toContainEqual(
      expect.objectContaining({ path: 'node/dist/no-such-file.js', how: 'missing' }),
    )
  })
})
