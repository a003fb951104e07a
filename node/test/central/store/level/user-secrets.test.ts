import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundleProgram } from '../../../../../scripts/test-program.js'
import { blobKey, metaKey } from '../../../../src/central/store/level/keys.ts'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { storeSeals } from '../../../../src/central/store/level/user-seal.ts'
import { openUserSecrets, SECRETS } from '../../../../src/central/store/level/user-secrets.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { id } from '../sample.ts'

describe('the secrets of users', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-secrets-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  it('a value opens as long as the secret of its user exists, also after the file was opened again', async () => {
    const users = [1, 300]
    let secrets = await openUserSecrets(dir, systemRandom, true)
    for (const user of users) await secrets.make(user)
    const seals = () => ({
      meta: storeSeals(systemRandom, secrets).meta(new Uint8Array(32)),
      day: storeSeals(systemRandom, secrets).day(new Uint8Array(32)),
    })
    const blob = (user: number) => Uint8Array.of(0, 0, user >>> 8, user, 7)
    const items = users.flatMap((user) => [
      { seal: 'meta' as const, user, key: metaKey('list', user), body: Uint8Array.of(user) },
      { seal: 'day' as const, user, key: blobKey(5), body: blob(user) },
    ])
    const values = items.map(({ seal, key, body }) => seals()[seal].seal(key, body))
    const opened = () => items.map(({ seal, key }, i) => seals()[seal].open(key, values[i]!, 'test'))
    expect(opened()).toEqual(items.map(({ body }) => body))
    secrets = await openUserSecrets(dir, systemRandom, false)
    expect(opened()).toEqual(items.map(({ body }) => body))
    await secrets.destroy(1)
    const left = items.map(({ user, body }) => (user === 1 ? undefined : body))
    expect(opened()).toEqual(left)
    secrets = await openUserSecrets(dir, systemRandom, false)
    expect(opened()).toEqual(left)
    await secrets.make(1)
    expect(opened).toThrow(expect.objectContaining({ code: 'STORAGE_CORRUPT' }))
  })

  it.skipIf(process.platform === 'win32')(
    'a secret is whole in the file when it was acknowledged, also where the file ends in the middle of a write',
    async () => {
      const program = await bundleProgram('node/test/central/store/level/secrets-child.ts')
      // Six kilobytes, in blocks of 512 bytes. The second write of 4 KB then ends after two.
      const limited = ['-c', 'ulimit -f 12 && exec "$@"', 'sh', process.execPath, program, dir]
      const { kept, lost } = JSON.parse(execFileSync('sh', limited, { encoding: 'utf8' }))
      expect(kept).toBeGreaterThan(0)
      expect(kept).toBeLessThan(600)
      expect(lost).toBe(0)
    },
  )

  it('a store without the secret of one of its users is STORAGE_CORRUPT', async () => {
    const open = () => levelStore({ dir: join(dir, 'store'), random: systemRandom, clock: systemClock() })
    const store = await open()
    for (let n = 0; n < 3; n++) await store.addUser(id(`${n}`), 1, 100)
    await store.close()
    await truncate(join(dir, 'store', SECRETS), 4 * 16)
    await (await open()).close()
    await truncate(join(dir, 'store', SECRETS), 3 * 16)
    await expect(open()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
    await rm(join(dir, 'store', SECRETS))
    await expect(open()).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
  })
})
