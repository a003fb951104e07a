import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { run } from '../captured.ts'

let dir: string
const at = (name: string) => join(dir, name)
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-role-'))
  // Each role leaves a folder of its own behind.
  await mkdir(join(at('central'), 'store'), { recursive: true })
  await mkdir(join(at('salt'), 'quota'), { recursive: true })
})
afterAll(() => rm(dir, { recursive: true }))

it.each([
  { command: 'salt drain', other: 'central', wanted: 'a salt node', found: 'the central peer' },
  { command: 'reports list', other: 'salt', wanted: 'the central peer', found: 'a salt node' },
])('geotrace $command refuses the directory of $found', async ({ command, other, wanted, found }) => {
  const { code, stdout, stderr } = await run(...command.split(' '), '--dir', at(other))
  expect(stderr.join('\n')).toContain(`expected the directory of ${wanted}, and ${at(other)} is that of ${found}`)
  expect(code).toBe(2)
  expect(stdout).toEqual([])
})
