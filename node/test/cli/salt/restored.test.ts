import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { abstainsUntil, restoredMark } from '../../../src/cli/salt/restored.ts'
import { localManifest } from '../../../src/local/local-federation.ts'
import { createFiles } from '../../../src/platform/atomic-file.ts'

it('a restored node gives no vote until two periods are over', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'geotrace-restored-'))
  const manifest = await localManifest({ hosts: Array(6).fill('127.0.0.1'), at: 0 })
  const now = systemClock().now()
  expect(abstainsUntil(dir, manifest, now)).toBeUndefined()
  // A later restore replaces the mark of an earlier one.
  for (const at of [0, now]) await createFiles([restoredMark(dir, at)])
  const untilMs = now + 2 * 18 * EPOCH_MS
  expect(abstainsUntil(dir, manifest, now)).toBe(untilMs)
  expect(abstainsUntil(dir, manifest, untilMs - 1)).toBe(untilMs)
  expect(abstainsUntil(dir, manifest, untilMs)).toBeUndefined()
  // An unreadable mark does not permit a vote.
  await chmod(join(dir, 'restored'), 0o600)
  await writeFile(join(dir, 'restored'), 'yesterday')
  expect(abstainsUntil(dir, manifest, now)).toBe(untilMs)
  await rm(dir, { recursive: true })
})
