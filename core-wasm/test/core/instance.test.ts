import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CORE_SHA256, loadCore } from '../../src/index.ts'
import { randomBytes, seeded, walk } from '../../src/testing/index.ts'

const BUILDS = ['simd', 'scalar'] as const
const read = (build: string) => Uint8Array.from(readFileSync(new URL(`../../build/${build}.wasm`, import.meta.url)))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

afterEach(() => vi.restoreAllMocks())

describe.each(BUILDS)('the %s build', (build) => {
  const wasm = read(build)

  it('the module imports nothing', async () => {
    expect(WebAssembly.Module.imports(await WebAssembly.compile(wasm))).toEqual([])
  })

  it('the embedded module has the published hash', async () => {
    expect(CORE_SHA256[build]).toBe(sha256(wasm))
    const core = await loadCore({ build })
    expect([core.build, core.sha256]).toEqual([build, CORE_SHA256[build]])
  })

  it('a module that the caller passes, as an array or as a buffer, names its own build', async () => {
    for (const bytes of [wasm, wasm.buffer]) {
      const core = await loadCore({ wasm: bytes })
      expect([core.build, core.sha256]).toEqual([build, sha256(wasm)])
    }
  })

  it('the module has the same hash in an insecure page, where the host offers no SHA-256', async () => {
    vi.spyOn(globalThis, 'crypto', 'get').mockReturnValue({} as Crypto)
    expect((await loadCore({ wasm, pins: CORE_SHA256 })).sha256).toBe(sha256(wasm))
  })

  it('the core accepts a module under its own pin and refuses it under another pin', async () => {
    expect((await loadCore({ build, pins: CORE_SHA256 })).build).toBe(build)
    const pins = { ...CORE_SHA256, [build]: '00'.repeat(32) }
    const mismatch = { code: 'CORE_MISMATCH', data: { want: pins[build], got: CORE_SHA256[build] } }
    await expect(loadCore({ build, pins })).rejects.toMatchObject(mismatch)
    await expect(loadCore({ wasm, pins })).rejects.toMatchObject(mismatch)
  })

  it('the memory of a core never grows or moves, and holds nothing of a call after it', async () => {
    const { core, memory } = await spied(build)
    const before = new Uint8Array(memory.buffer).slice()
    const random = seeded(31)
    expect(() => memory.grow(1)).toThrow()
    for (let round = 0; round < 3; round++) {
      const points = core.fixesToRiskPoints(walk(random, 700, 5, 5), round === 0 ? 'plain' : 'threshold')
      core.hashRiskPoints(points, randomBytes(random, points.needed.count * 32))
      core.riskHash(randomBytes(random, 32), points.cells[0]!, 5, 1)
      core.sha256Batch(randomBytes(random, 16_000), 100)
      core.hmacBatch(randomBytes(random, 100), randomBytes(random, 16_000), 100)
      core.fixToCells(51.5, -0.12)
      expect(memory.buffer.byteLength).toBe(before.length)
      // Static areas are zero again and tables unchanged, so secrets, keys, messages, positions and cells are erased.
      expect(Buffer.compare(new Uint8Array(memory.buffer), before)).toBe(0)
    }
  })
})

describe('loading the core', () => {
  it('loading chooses SIMD on a host with SIMD, and the scalar build on other hosts', async () => {
    expect((await loadCore()).build).toBe('simd')
    withoutSimd()
    expect((await loadCore()).build).toBe('scalar')
    await expect(loadCore({ build: 'simd' })).rejects.toMatchObject({ code: 'CORE_UNSUPPORTED' })
  })

  it('loading refuses a host without WebAssembly', async () => {
    vi.stubGlobal('WebAssembly', undefined)
    await expect(loadCore()).rejects.toMatchObject({ code: 'CORE_UNSUPPORTED' })
    vi.unstubAllGlobals()
  })

  it('loading refuses a value that is no bytes, bytes that are no module, and a build that was not requested', async () => {
    await expect(loadCore({ wasm: 'AGFzbQE=' as unknown as Uint8Array })).rejects.toThrow(TypeError)
    await expect(loadCore({ wasm: new Uint8Array(8) })).rejects.toMatchObject({ code: 'CORE_UNSUPPORTED' })
    await expect(loadCore({ wasm: read('scalar'), build: 'simd' })).rejects.toMatchObject({ code: 'CORE_MISMATCH' })
  })

  it('loading refuses a module that is no core and a module with imports', async () => {
    const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)
    await expect(loadCore({ wasm: empty })).rejects.toMatchObject({ code: 'CORE_FAULT' })
    // (import "m" "f" (func)) of type () -> ()
    const wanting = Uint8Array.of(...empty, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 109, 1, 102, 0, 0)
    await expect(loadCore({ wasm: wanting })).rejects.toMatchObject({ code: 'CORE_FAULT' })
  })

  it('each loaded core has a memory of its own', async () => {
    const [one, other] = await Promise.all([loadCore(), loadCore()])
    const points = one.fixesToRiskPoints(walk(seeded(32), 10, 0, 0), 'plain')
    expect(other.fixesToRiskPoints([], 'plain').count).toBe(0)
    expect(points.count).toBeGreaterThan(30)
  })
})

/** A core and the memory of its instance, which the core does not expose. */
async function spied(build: (typeof BUILDS)[number]) {
  const instances: WebAssembly.Instance[] = []
  const { Instance } = WebAssembly
  class Spy extends Instance {
    constructor(module: WebAssembly.Module) {
      super(module)
      instances.push(this)
    }
  }
  vi.spyOn(WebAssembly, 'Instance', 'get').mockReturnValue(Spy)
  const core = await loadCore({ build })
  return { core, memory: instances[0]!.exports.memory as WebAssembly.Memory }
}

/** A host that refuses every module with vectors. */
function withoutSimd(): void {
  const validate = WebAssembly.validate
  vi.spyOn(WebAssembly, 'validate').mockImplementation((bytes) => (bytes as Uint8Array).length > 100 && validate(bytes))
}
