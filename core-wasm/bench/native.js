/**
 * The anchor in C, built with gcc against Debian's libh3-dev and libssl-dev. It runs as a process that takes one command at
 * a time, so that the bench can time it in turn with the others. It respects CC, CFLAGS and LDFLAGS.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('anchor.c', import.meta.url))
const FIX_BYTES = 8 + 8 + 5 * 4 + 10 * 32
const words = (text = '') => text.split(' ').filter(Boolean)

/** A running anchor over all slices, or the name of a missing tool. `hasH3` is false when it can only hash. */
export function nativeAnchor(slices) {
  const folder = mkdtempSync(join(tmpdir(), 'geotrace-anchor-'))
  const program = join(folder, 'anchor')
  const build = (extra) =>
    spawnSync(
      process.env.CC ?? 'gcc',
      ['-O3', ...words(process.env.CFLAGS), SOURCE, '-o', program, ...words(process.env.LDFLAGS), ...extra],
      { encoding: 'utf8' },
    )
  const withH3 = build(['-DWITH_H3', '-lh3', '-lcrypto', '-lm'])
  const hasH3 = withH3.status === 0
  if (!hasH3 && build(['-lcrypto']).status !== 0) {
    rmSync(folder, { recursive: true })
    return { missing: `no C anchor: ${(withH3.error?.message ?? withH3.stderr).split('\n')[0]}` }
  }
  const input = join(folder, 'input')
  writeFileSync(input, inputOf(slices))
  const child = spawn(program, [input], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (command) => {
    child.stdin.write(`${command}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error('the C anchor ended')
    return Number(value)
  }
  return {
    hasH3,
    ask,
    /** The hashes of all slices, 12 bytes each, [fix][layer][size][lag]. */
    async hashes() {
      await ask(`d ${join(folder, 'hashes')}`)
      return readFileSync(join(folder, 'hashes'))
    },
    stop() {
      child.stdin.end()
      rmSync(folder, { recursive: true })
    },
  }
}

function inputOf(slices) {
  const fixes = slices.flatMap(({ perFix }) => perFix)
  const bytes = Buffer.alloc(8 + fixes.length * FIX_BYTES)
  bytes.writeUInt32LE(fixes.length, 0)
  bytes.writeUInt32LE(slices[0].perFix.length, 4)
  let at = 8
  for (const { lat, lng, blocks, salts } of fixes) {
    at = bytes.writeDoubleLE(lat, at)
    at = bytes.writeDoubleLE(lng, at)
    for (const n of blocks) at = bytes.writeUInt32LE(n, at)
    for (const salt of salts[0]) {
      bytes.set(salt, at)
      at += salt.length
    }
  }
  return bytes
}
