import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { MODULES } from '../scripts/embed.js'
import { RISTRETTO_SHA256 } from '../scripts/ristretto.js'
import { ristretto } from '../src/generated/ristretto.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Compiles all modules in one process: three processes take twice the CPU time. */
const COMPILE = `
  import asc from ${JSON.stringify(new URL('../../node_modules/assemblyscript/dist/asc.js', import.meta.url).href)}
  for (const [target, config] of Object.entries(${JSON.stringify(MODULES)})) {
    const { error } = await asc.main(['--config', config, '--target', target])
    if (error !== null) throw error
  }`

const env = { ...process.env, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }

it('a clean build in another folder, time zone and language gives the same bytes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'geotrace-build-'))
  try {
    await cp(join(root, 'core-wasm', 'assembly'), join(folder, 'core-wasm', 'assembly'), { recursive: true })
    for (const config of new Set(Object.values(MODULES))) await cp(join(root, config), join(folder, config))
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', COMPILE], {
      cwd: folder,
      env,
    })
    for (const target of Object.keys(MODULES)) {
      const [fresh, ours] = await Promise.all(
        [folder, root].map((where) => readFile(join(where, 'core-wasm', 'build', `${target}.wasm`))),
      )
      expect(Buffer.compare(fresh!, ours!), target).toBe(0)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}, 120_000)

it('the group is cut from libsodium to the same bytes in another folder, time zone and language', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'geotrace-group-'))
  try {
    const script = join(root, 'core-wasm', 'scripts', 'ristretto.js')
    await promisify(execFile)(process.execPath, [script, folder], { cwd: folder, env })
    const fresh = await readFile(join(folder, 'ristretto.wasm'))
    expect(createHash('sha256').update(fresh).digest('hex')).toBe(RISTRETTO_SHA256)
    expect(Buffer.compare(fresh, Buffer.from(ristretto, 'hex'))).toBe(0)
    expect(WebAssembly.Module.imports(new WebAssembly.Module(fresh))).toEqual([])
    expect(await readFile(join(folder, 'ristretto.LICENSE'), 'utf8')).toContain('THE SOFTWARE IS PROVIDED "AS IS"')
  } finally {
    await rm(folder, { recursive: true })
  }
})
