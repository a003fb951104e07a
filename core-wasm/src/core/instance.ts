/**
 * The Wasm module as typed areas and functions: chooses the build, checks its hash and instantiates it. The module
 * imports nothing and its memory never grows, so the views stay valid. Throws CORE_UNSUPPORTED, CORE_MISMATCH, CORE_FAULT.
 */

import { hashes } from '../generated/hashes.ts'
import { simd } from '../generated/simd.ts'
import { FederationError } from '../wire/errors.ts'
import { assertBytes } from './assert-bytes.ts'
import { fromHex } from './module-bytes.ts'

export type Build = 'simd' | 'scalar'

export interface CoreOptions {
  /** Your own copy of the module's bytes, for example from a fetch. The default is the embedded module. */
  wasm?: Uint8Array | ArrayBuffer
  /** The embedded build to use. The default is SIMD when the host supports it. */
  build?: Build
  /** Hex SHA-256 of each build from the manifest. A module with another hash is refused. */
  pins?: { simd: string; scalar: string }
  /** Bytes of rows for which `sortRows` allocates memory at once. The default is to allocate at each larger sort. */
  sortBytes?: number
}

/** The exports of the module: addresses of areas, sizes, functions. See assembly/index.ts. */
interface Exports {
  memory: WebAssembly.Memory
  fixesToCells(count: number): void
  fixesToHexagons(count: number): void
  fixesToPoints(count: number): void
  timeToBlock(at: number, size: number): number
  cellToRegion(cell: bigint): number
  assignSlots(count: number): number
  hashPoints(count: number, slots: number): void
  sha256Messages(count: number, length: number): void
  hmacMessages(count: number, length: number): void
  crc32(crc: number, length: number): number
  wipe(): void
  wipeFixes(): void
  wipeCells(): void
}

export interface Instance {
  readonly sha256: string
  readonly build: Build
  readonly call: Omit<Exports, 'memory'>
  /** Largest number of fixes, risk points and messages in one call. */
  readonly fixes: number
  readonly points: number
  readonly batch: number
  readonly lats: Float64Array
  readonly lngs: Float64Array
  readonly times: Float64Array
  readonly cells: BigUint64Array
  /** The same cells as pairs of words, low first. */
  readonly cellWords: Uint32Array
  readonly regions: Uint32Array
  readonly blocks: Uint32Array
  readonly freshCells: BigUint64Array
  readonly freshBlocks: Uint32Array
  readonly pointCells: BigUint64Array
  readonly pointBlocks: Uint32Array
  readonly pointSecrets: Uint32Array
  readonly pointSizes: Uint8Array
  readonly slotSecrets: Uint32Array
  readonly secrets: Uint8Array
  readonly secretWords: Uint32Array
  readonly hashes: Uint8Array
  readonly messages: Uint8Array
  readonly key: Uint8Array
  readonly digests: Uint8Array
}

/** SHA-256 of the two embedded builds, hex. */
export const CORE_SHA256: { readonly simd: string; readonly scalar: string } = {
  simd: hashes.simd,
  scalar: hashes.scalar,
}

/** A module of one function with one vector constant, which is valid only on a host with SIMD. */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
)

export async function instantiate(options: CoreOptions = {}): Promise<Instance> {
  if (typeof WebAssembly === 'undefined')
    throw new FederationError(
      'CORE_UNSUPPORTED',
      'expected a host with WebAssembly, got none: use a newer engine or allow it in the policy',
    )
  const hasSimd = WebAssembly.validate(SIMD_PROBE)
  const wanted = options.build ?? (hasSimd ? 'simd' : 'scalar')
  if (wanted === 'simd' && !hasSimd && !options.wasm) {
    throw new FederationError('CORE_UNSUPPORTED', "expected a host with Wasm SIMD: load the build 'scalar'")
  }
  const bytes = options.wasm ? copyOf(options.wasm) : await embeddedBytes(wanted)
  const digest = options.wasm || options.pins ? await digestOf(bytes) : CORE_SHA256[wanted]
  const instance = view(await compileModule(bytes), digest)
  if (options.build && instance.build !== options.build) {
    throw new FederationError('CORE_MISMATCH', `expected the ${options.build} build, got the ${instance.build} build`, {
      want: options.build,
      got: instance.build,
    })
  }
  const pin = options.pins?.[instance.build]
  if (pin !== undefined && pin !== digest) {
    throw new FederationError(
      'CORE_MISMATCH',
      'expected the pinned module, got another: load the version of the manifest',
      { want: pin, got: digest },
    )
  }
  return instance
}

/** The scalar build is loaded on demand, because few hosts lack SIMD and all hosts would download it. */
async function embeddedBytes(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  return fromHex(build === 'simd' ? simd : (await import('../generated/scalar.ts')).scalar)
}

/** Copies the module, so that the hashed bytes are the compiled bytes. */
function copyOf(wasm: Uint8Array | ArrayBuffer): Uint8Array<ArrayBuffer> {
  // Check the tag, because `instanceof` refuses bytes of another realm.
  if (Object.prototype.toString.call(wasm) === '[object ArrayBuffer]')
    return new Uint8Array(wasm as ArrayBuffer).slice()
  assertBytes('wasm', wasm as Uint8Array)
  return Uint8Array.from(wasm as Uint8Array)
}

/** Hashes with the host, which every secure context allows. Other contexts load a second SHA-256. */
async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle
  const digest = subtle
    ? new Uint8Array(await subtle.digest('SHA-256', bytes))
    : (await import('@noble/hashes/sha2.js')).sha256(bytes)
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Compiles synchronously, which takes 1 ms, or asynchronously, which takes 2 ms, where the host requires it. A simulation
 * has no real time to wait for a compiler on another thread. Throws CORE_UNSUPPORTED, CORE_FAULT.
 */
export async function compileModule(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Instance> {
  let module: WebAssembly.Module
  try {
    module = new WebAssembly.Module(bytes)
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) throw unsupported(error)
    // Chrome before 115 refuses more than 4 KiB at once on a page's main thread, with a RangeError.
    module = await WebAssembly.compile(bytes).catch((cause) => Promise.reject(unsupported(cause)))
  }
  if (WebAssembly.Module.imports(module).length > 0)
    throw new FederationError(
      'CORE_FAULT',
      'expected a module without imports, got one with imports: build or install the core again',
    )
  try {
    return new WebAssembly.Instance(module)
  } catch {
    return WebAssembly.instantiate(module)
  }
}

function unsupported(cause: unknown): FederationError<'CORE_UNSUPPORTED'> {
  return new FederationError(
    'CORE_UNSUPPORTED',
    'expected a module that this host can compile, got a compile error: use a newer browser or Node',
    undefined,
    { cause },
  )
}

function view(wasm: WebAssembly.Instance, digest: string): Instance {
  const call = wasm.exports as unknown as Exports
  if (!(call.memory instanceof WebAssembly.Memory))
    throw new FederationError(
      'CORE_FAULT',
      'expected a core, got a module without its memory: build or install the core again',
    )
  const { buffer } = call.memory
  const constant = (name: string): number => {
    const found = wasm.exports[name]
    if (found instanceof WebAssembly.Global) return Number(found.value)
    throw new FederationError(
      'CORE_FAULT',
      `expected a core, got a module without the export ${name}: build or install the core again`,
    )
  }
  const [batch, fixes, points] = [constant('BATCH'), constant('FIXES'), constant('POINTS')]
  const bytes = (name: string, length: number) => new Uint8Array(buffer, constant(name), length)
  const words = (name: string, length: number) => new Uint32Array(buffer, constant(name), length)
  const longs = (name: string, length: number) => new BigUint64Array(buffer, constant(name), length)
  const doubles = (name: string) => new Float64Array(buffer, constant(name), fixes)
  return {
    sha256: digest,
    build: constant('LANES') === 4 ? 'simd' : 'scalar',
    call,
    fixes,
    points,
    batch,
    lats: doubles('LATS'),
    lngs: doubles('LNGS'),
    times: doubles('TIMES'),
    cells: longs('CELLS', fixes * 3),
    cellWords: words('CELLS', fixes * 6),
    regions: words('REGIONS', fixes * 3),
    blocks: words('BLOCKS', fixes * 5),
    freshCells: longs('FRESH_CELLS', fixes * 30),
    freshBlocks: words('FRESH_BLOCKS', fixes * 30),
    pointCells: longs('POINT_CELLS', points),
    pointBlocks: words('POINT_BLOCKS', points),
    pointSecrets: words('POINT_SECRETS', points),
    pointSizes: bytes('POINT_SIZES', points),
    slotSecrets: words('SLOT_SECRETS', batch),
    secrets: bytes('SECRETS', batch * 32),
    secretWords: words('SECRETS', batch * 8),
    hashes: bytes('HASHES', points * 12),
    messages: bytes('MESSAGES', constant('MESSAGES_BYTES')),
    key: bytes('KEY', 64),
    digests: bytes('DIGESTS', batch * 32),
  }
}
