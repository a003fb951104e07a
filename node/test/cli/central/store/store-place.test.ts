import { expect, it } from 'vitest'
import { assertAnswering } from '../../../../src/cli/central/store/server-look.ts'
import { toKeyPath } from '../../../../src/cli/central/store/store-place.ts'
import { freePort } from '../../../../src/local/loopback.ts'
import { run } from '../../captured.ts'

it('a database without an answer is named soon, without its address and with the next step', async () => {
  const port = await freePort('127.0.0.1')
  const look = assertAnswering(`postgres://me:secret@127.0.0.1:${port}/geotrace`)
  const error: unknown = await look.catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'COMMAND_INVALID' })
  expect((error as Error).message).toMatch(/does not answer.*; correct --store or GEOTRACE_STORE/)
  expect((error as Error).message).not.toMatch(/secret|127\.0\.0\.1/)
  await expect(assertAnswering('postgres://wrong host/x')).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
  await expect(assertAnswering('mysql://db1/x')).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
})

it('the store of a directory and the one on servers have keys in files of their own', () => {
  expect(toKeyPath({ dir: '/d' })).toBe('/d/store.keys')
  expect(toKeyPath({ dir: '/d', store: 'postgres://db1/x' })).toBe('/d/database.keys')
  expect(toKeyPath({ dir: '/d', store: 'postgres://db1/x', storeKeyFile: '/k' })).toBe('/k')
})

it.each([
  ['a backup of a database in a directory', ['backup', '/b', '--store', 'postgres://db1/x'], /pg_dump/],
  ['a directory for a database', ['restore', '/b', '--store', 'postgres://db1/x'], /pg_restore/],
  ['a restore without a backup', ['restore'], /name its directory/],
  ['a copy to nowhere', ['migrate'], /give --store postgres/],
])('%s is refused with the next step', async (_, words, next) => {
  const { code, stderr } = await run('central', ...words, '--dir', '/nowhere')
  expect(code).toBe(2)
  expect(stderr.join('\n')).toMatch(next)
})
