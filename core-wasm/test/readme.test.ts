import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import * as core from '../src/index.ts'
import * as testing from '../src/testing/index.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url))
const readme = read('../README.md').toString()
const examples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!)
const GZIP_MAX_BYTES = 16_384

/** Runs an example as a function body, with its imports taken from `modules`. */
function run(code: string, modules: Record<string, unknown>, result: string): Promise<unknown> {
  const body = code.replace(/^import (\{.*\}) from '(.*)'$/gm, "const $1 = modules['$2']")
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  return AsyncFunction('modules', 'myPort', `${body}\nreturn ${result}`)(modules, testing.reference())
}

describe('the README', () => {
  it('the embedding example of the README runs unchanged', async () => {
    const hashes = await run(examples[0]!, { '@geotrace/core-wasm': core }, '[points.count, hashes.length]')
    expect(hashes).toEqual([expect.any(Number), expect.any(Number)])
    const [count, bytes] = hashes as [number, number]
    expect(count).toBeGreaterThan(30)
    expect(bytes).toBe(count * 12)
  })

  it('the conformance example of the README finds no mismatch', async () => {
    const modules = { '@geotrace/core-wasm/testing': testing }
    expect(await run(examples[1]!, modules, 'mismatches')).toEqual([])
  })

  it('the README states the sizes of the builds, below 16 KiB gzipped', () => {
    const cells = (bytes: number) => bytes.toLocaleString('en-US')
    for (const [name, build] of [
      ['SIMD', 'simd'],
      ['scalar', 'scalar'],
    ] as const) {
      const wasm = read(`../build/${build}.wasm`)
      const stated = readme.match(new RegExp(`\\| ${name} +\\| ([\\d,]+) +\\| ([\\d,]+) +\\|`))!
      expect(stated[1]).toBe(cells(wasm.length))
      const gzip = gzipSync(wasm, { level: 9 }).length
      expect(gzip).toBeLessThan(GZIP_MAX_BYTES)
      // The versions of zlib differ by some bytes.
      expect(Math.abs(Number(stated[2]!.replace(',', '')) - gzip)).toBeLessThan(200)
    }
  })

  it('the README names every function of the core and every code that the core throws', () => {
    const names = ['fixToCells', 'cellToRegion', 'regionToShard', 'timeToBlocks', 'riskHash', 'fixesToRiskPoints']
    names.push(
      'hashRiskPoints',
      'sha256Batch',
      'hmacBatch',
      'crc32',
      'sortRows',
      'CORE_UNSUPPORTED',
      'CORE_MISMATCH',
      'CORE_FAULT',
    )
    for (const name of names) expect(readme).toContain(name)
  })
})
