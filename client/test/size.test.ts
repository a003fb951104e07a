/** The code that an app must load to record: README "Figures" and "Loading". */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CORE_SHA256 } from '@geotrace/core-wasm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appBytes } from '../bench/app-size.js'
import { bundleOf, gzipBytes } from '../bench/bundle.js'
import type * as Client from '../src/index.ts'
import { fakeFederation, START_MS, seededBytes } from '../src/testing/fake-federation.ts'

const MAX_BYTES = 40_000
const APP_MAX_BYTES = 230_000
/** Modules that recording does not need. */
const NETWORK =
  /zod|cborg|@noble\/|multiformats|libp2p|h3-js|level|generated\/(scalar|ristretto)|core-wasm\/src\/voprf|client\/src\/(sync|salts\/(rosters|salt-request|hashing|\w+-salting))\.ts$/

type Bundle = Awaited<ReturnType<typeof bundleOf>>

function filesOf(chunks: Bundle['first']): string[] {
  return chunks.flatMap(({ modules }) => Object.entries(modules).flatMap(([id, { code }]) => (code ? [id] : [])))
}

describe('the first load of an app', () => {
  let bundle: Bundle
  let dir: string
  beforeAll(async () => {
    bundle = await bundleOf("export { createTracer, memoryStorage } from '@geotrace/client'")
    dir = await mkdtemp(join(tmpdir(), 'geotrace-size-'))
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  /** Imports the bundle's entry, with only `chunks` on the disk. */
  async function load(name: string, chunks: Bundle['first']): Promise<typeof Client> {
    const folder = join(dir, name)
    await mkdir(folder)
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    for (const { fileName, code } of chunks) await writeFile(join(folder, fileName), code)
    return import(/* @vite-ignore */ pathToFileURL(join(folder, bundle.entry)).href)
  }

  it('core and client load at most 40 KB gzip at first, and nothing that only the network needs', () => {
    expect(gzipBytes(bundle.first)).toBeLessThanOrEqual(MAX_BYTES)
    const files = filesOf(bundle.first)
    expect(files.filter((id) => NETWORK.test(id))).toEqual([])
    expect(files.some((id) => id.endsWith('generated/simd.ts'))).toBe(true)
    // The later chunks hold these modules, so the pattern finds them.
    expect(filesOf(bundle.later).filter((id) => NETWORK.test(id)).length).toBeGreaterThan(20)
  })

  it('the first load alone records, shows and erases after the very first start', async () => {
    const { manifest, clock } = await fakeFederation()
    const open = async ({ createTracer }: typeof Client) =>
      createTracer({
        federation: JSON.stringify({ ...manifest, core: CORE_SHA256 }),
        storage,
        clock,
        random: seededBytes('size'),
        dialer: { open: () => Promise.reject(new Error('no network')) },
        redaction: false,
      })
    const all = await load('all', [...bundle.first, ...bundle.later])
    const storage = all.memoryStorage()
    const lean = await load('first', bundle.first)
    await expect(open(lean)).rejects.toThrow(/check-manifest/)
    await open(all)
    const tracer = await open(lean)
    expect(await tracer.record({ lat: 52.52, lng: 13.405, accuracyM: 5, at: START_MS })).toEqual({ accepted: true })
    const states: string[] = []
    for await (const { state } of tracer.diary()) states.push(state)
    expect(states).toEqual(['open'])
    expect(await tracer.exposures()).toEqual([])
    const needsCode = { code: 'PEER_UNREACHABLE', data: { tried: 0 } }
    await expect(tracer.preview()).rejects.toMatchObject(needsCode)
    await expect(tracer.protection()).rejects.toMatchObject(needsCode)
    await expect(tracer.sync()).rejects.toMatchObject(needsCode)
    await expect(tracer.eraseAll()).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    for await (const entry of tracer.diary()) expect.unreachable(`the diary still has a fix in state ${entry.state}`)
  })
})

describe('the first load with storage and dialer', () => {
  it('core, client, storage and dialer load at most 40 KB gzip at first', async () => {
    const { first } = await bundleOf("export { createTracer, levelStorage, libp2pDialer } from '@geotrace/client'")
    expect(gzipBytes(first)).toBeLessThanOrEqual(MAX_BYTES)
    expect(filesOf(first).filter((id) => NETWORK.test(id) && !/level-storage|libp2p-dialer/.test(id))).toEqual([])
  })
})

describe('the built web app', () => {
  it('the web app loads at most 230 KB gzip until its map is shown', () => {
    const { shell, first } = appBytes()
    expect(shell).toBeGreaterThan(50_000)
    expect(first).toBeGreaterThan(shell + 50_000)
    expect(first).toBeLessThanOrEqual(APP_MAX_BYTES)
  })
})
