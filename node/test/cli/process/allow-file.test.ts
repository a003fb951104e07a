import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { allowFile } from '../../../src/cli/process/allow-file.ts'
import { addressToRequester } from '../../../src/net/guard/requester.ts'
import { type Log, silent } from '../../../src/platform/log.ts'

const LOOK_MS = 20
const [ours, theirs] = ['/ip4/203.0.113.7/tcp/1', '/ip4/198.51.100.7/tcp/1'].map((item) => addressToRequester(item).ip!)
let dir: string
let path: string
let file: ReturnType<typeof allowFile> | undefined
let said: string[]
const log: Log = { ...silent, info: (event) => said.push(event), warn: (event) => said.push(event) }

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-allow-'))
  ;[path, said] = [join(dir, 'allow.txt'), []]
})
afterEach(async () => {
  file?.stop()
  file = undefined
  await rm(dir, { recursive: true })
})

async function put(text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}
const allowed = (): boolean[] => [ours, theirs].map((ip) => file!.allows(ip!))

it('a new list is in force without a restart, and a list that cannot be read leaves the one before in force', async () => {
  await put('203.0.113.0/24\n')
  file = allowFile(path, log, LOOK_MS)
  expect(allowed()).toEqual([true, false])
  await put('203.0.113.0/24\n198.51.100.0/24 # new\n')
  await expect.poll(() => said).toContain('allow.read')
  expect(allowed()).toEqual([true, true])
  for (const bad of ['', 'everybody\n']) {
    said.length = 0
    await put(bad)
    await expect.poll(() => said).toContain('allow.unreadable')
    expect(allowed()).toEqual([true, true])
  }
  said.length = 0
  await rm(path)
  await expect.poll(() => said).toContain('allow.unreadable')
  expect(allowed()).toEqual([true, true])
})

it('a node does not start with a list that is missing or names no network', async () => {
  const open = () => allowFile(path, silent, LOOK_MS)
  expect(open).toThrow(expect.objectContaining({ code: 'COMMAND_INVALID' }))
  await put('10.0.0.0/8\n10.0.0.0/99\n')
  expect(open).toThrow(/line 2/)
})
