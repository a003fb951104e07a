import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { MODULES } from '../scripts/embed.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Compiles all modules in one process: three processes take twice the CPU time. */
const COMPILE = `
  import asc from ${JSON.stringify(new URL('../../node_modules/assemblyscript/dist/asc.js', import.meta.url).href)}
  for (const [target, config] of Object.entries(${JSON.stringify(MODULES)})) {
    const { error } = await asc.main(['--config', config, '--target', target])
    if (error !== null) throw error
  }`

it('a clean build in another folder, time zone and language gives the same bytes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'geotrace-build-'))
  try {
    await cp(join(root, 'core-wasm', 'assembly'), join(folder, 'core-wasm', 'assembly'), { recursive: true })
    for (const config of new Set(Object.values(MODULES))) await cp(join(root, config), join(folder, config))
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', COMPILE], {
      cwd: folder,
      env: { ...process.env, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
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
