// Runs TypeScript test programs on a file system that is really full: a tmpfs in a user namespace. Linux only.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleProgram } from './test-program.js'

const MOUNT = 'mount -t tmpfs -o size=$1,mode=700 tmpfs "$2"'
const ROUNDS_MAX = 100

/** Whether this machine mounts file systems in a user namespace. */
export function canMount() {
  const args = ['-rm', 'sh', '-c', MOUNT, 'sh', '1m', '/mnt']
  return spawnSync('unshare', args, { stdio: 'ignore' }).status === 0
}

/**
 * Runs a program on a tmpfs of `size`. The program gets the directory and prints one line of JSON, which is returned.
 * @param {string} program @param {string} size @returns {Promise<any>}
 */
export async function runOnSmallDisk(program, size) {
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-small-'))
  try {
    const command = [process.execPath, await bundleProgram(program), dir]
    const args = ['-rm', 'sh', '-c', `${MOUNT} && shift 2 && exec "$@"`, 'sh', size, dir, ...command]
    const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    for await (const chunk of child.stdout) text += chunk
    return JSON.parse(text)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/**
 * Writes entries to a database, fills its disk up to `leftBytes`, goes on writing, makes room and repeats what failed.
 * Then it opens the database again and looks for every acknowledged entry.
 * @param {{ dir: string, open: () => Promise<Database>, count: number, leftBytes: number }} init
 * @typedef {{ write(n: number): Promise<unknown>, has(n: number): Promise<boolean>, close(): Promise<void> }} Database
 */
export async function liveOnFullDisk({ dir, open, count, leftBytes }) {
  let database = await open()
  const acknowledged = []
  const codes = new Set()
  let waiting = []
  const attempt = async (n) => {
    try {
      await database.write(n)
      acknowledged.push(n)
    } catch (error) {
      waiting.push(n)
      codes.add(error.code ?? String(error))
    }
  }
  const writeAll = async (numbers) => {
    for (const n of numbers) await attempt(n)
  }
  await writeAll(Array.from({ length: count }, (_, i) => i))
  const filler = join(dir, 'filler')
  const { bavail, bsize } = statfsSync(dir)
  writeFileSync(filler, new Uint8Array(Math.max(0, bavail * bsize - leftBytes)))
  await writeAll(Array.from({ length: count }, (_, i) => count + i))
  const failures = waiting.length
  rmSync(filler)
  for (let round = 0; waiting.length > 0 && round < ROUNDS_MAX; round++) {
    const again = waiting
    waiting = []
    await writeAll(again)
    if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await writeAll(Array.from({ length: count }, (_, i) => 2 * count + i))
  await database.close()
  database = await open()
  let lost = 0
  for (const n of acknowledged) if (!(await database.has(n))) lost++
  await database.close()
  return { acknowledged: acknowledged.length, failures, lost, codes: [...codes].sort() }
}
