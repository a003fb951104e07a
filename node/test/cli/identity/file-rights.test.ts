import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { assertPrivate, loosePermissionOf } from '../../../src/cli/identity/file-rights.ts'
import { userId } from '../../../src/platform/own-files.ts'

it('a directory that other users own or may access gives FILE_EXPOSED, and a missing file gives no error', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'geotrace-rights-'))
  for (const mode of [0o701, 0o710, 0o770, 0o704]) {
    await chmod(dir, mode)
    expect(loosePermissionOf(dir)).toEqual({ path: dir, mode, command: `chmod 700 '${dir}'` })
  }
  expect(() => assertPrivate(dir)).toThrow(
    expect.objectContaining({
      code: 'FILE_EXPOSED',
      data: { path: dir, next: expect.stringContaining(`chmod 700 '${dir}'`) },
    }),
  )
  await chmod(dir, 0o700)
  assertPrivate(dir)
  const [own, other] = [userId()!, userId()! + 1]
  expect(() => assertPrivate(dir, other)).toThrow(
    expect.objectContaining({ code: 'FILE_EXPOSED', message: expect.stringContaining('another user') }),
  )
  assertPrivate(dir, own)
  assertPrivate(join(dir, 'nothing'))
  await rm(dir, { recursive: true })
})
