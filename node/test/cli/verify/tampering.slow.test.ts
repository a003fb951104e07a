/**
 * Two hundred random tamperings of a build, a web app, rosters and the answers of a node. Each must be named, with exit code
 * 1. `npm run test:slow -- verify/tampering` prints the counts.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { foundRoster, nextTestRoster, testManifest, testTrees } from '@geotrace/core-wasm/testing'
import {
  answerContent,
  certifiedToStep,
  concatBytes,
  DEMO_PHRASE,
  decodeRosterRequest,
  demoSecret,
  EVALUATE_PROTOCOL,
  encodeNewsReply,
  encodeRosterStep,
  peerIdToKey,
  ROSTER_PROTOCOL,
  signContent,
} from '@geotrace/core-wasm/wire'
import { afterAll, describe, expect, it } from 'vitest'
import { disagreements, replayFrom } from '../../../src/cli/verify/chain.ts'
import { APP_TREE, readBuilt, TREES } from '../../../src/cli/verify/release.ts'
import { DEMO_OPERATORS, startFederation } from '../../../src/local/local-federation.ts'
import { freePort } from '../../../src/local/loopback.ts'
import { startWebServer } from '../../../src/local/web-server.ts'
import { createHost } from '../../../src/net/host.ts'
import { silent } from '../../../src/platform/log.ts'
import { nativeSigner } from '../../../src/platform/native-signer.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { seededRandom } from '../../../src/testing/simulated/seeded-random.ts'
import { run } from '../captured.ts'

const EACH = 50
/** The last two bytes of the time in an answer: clocks may be a minute apart, so a node says what it likes there. */
const isFree = (at: number): boolean => at === 7 || at === 8
const SIGNATURE_BYTES = 64
const random = seededRandom('tampering')
const below = (n: number): number => Math.floor(random.between(0, n))
const dir = mkdtempSync(join(tmpdir(), 'geotrace-tampering-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const checkout = join(dir, 'checkout')
const release = join(dir, 'release.json')
const FILES = TREES.flatMap((tree) => ['index.html', 'b.js', 'deep/c.bin'].map((name) => `${tree}/${name}`))
const content = (file: string): string => `the content of ${file}`

function put(file: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(join(checkout, file)), { recursive: true })
  writeFileSync(join(checkout, file), bytes)
}

function flipped(bytes: Uint8Array, isFree: (at: number) => boolean = () => false): Uint8Array {
  let at = below(bytes.length)
  while (isFree(at)) at = below(bytes.length)
  const copy = bytes.slice()
  copy[at]! ^= 1 << below(8)
  return copy
}

/** Tampers with one of these files, gives the path and the kind of the change to the task, and restores the file. */
async function tampered(files: readonly string[], task: (named: string) => Promise<void>): Promise<void> {
  const file = files[below(files.length)]!
  const how = (['changed', 'missing', 'added'] as const)[below(3)]!
  if (how === 'changed') put(file, flipped(readFileSync(join(checkout, file))))
  if (how === 'missing') rmSync(join(checkout, file))
  if (how === 'added') put(`${file}.more`, 'more')
  await task(how === 'added' ? `${file}.more added` : `${file} ${how}`)
  rmSync(join(checkout, `${file}.more`), { force: true })
  put(file, content(file))
}

async function named(...args: string[]): Promise<string[]> {
  const { code, stdout } = await run('--json', 'verify', ...args)
  expect(code).toBe(1)
  const { differences } = JSON.parse(stdout.join('')) as { differences: { path: string; how: string }[] }
  return differences.map(({ path, how }) => `${path} ${how}`)
}

describe('two hundred random tamperings', () => {
  it('every tampering with a build and with a web app is named', async () => {
    for (const file of FILES) put(file, content(file))
    put('package-lock.json', '{"lockfileVersion":3}')
    const built = { version: 1, commit: 'a'.repeat(40), node: '20.19.0', ...(await readBuilt(checkout)) }
    writeFileSync(release, JSON.stringify(built))
    for (let i = 0; i < EACH; i++) {
      await tampered(FILES, async (change) => expect(await named('build', release, checkout)).toEqual([change]))
    }
    // A browser asks for the files of the app only, so a file that was added is not seen and harms nobody.
    const app = FILES.filter((file) => file.startsWith(`${APP_TREE}/`))
    for (let seen = 0; seen < EACH; ) {
      await tampered(app, async (change) => {
        if (change.endsWith(' added')) return
        const web = await startWebServer({ folder: join(checkout, APP_TREE) })
        expect(await named('app', release, web.url)).toContain(change.slice(APP_TREE.length + 1))
        await web.stop()
        seen++
      })
    }
  })

  it('every flipped bit of a chain of rosters is named', async () => {
    const manifest = testManifest({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
    const first = foundRoster(manifest, testTrees(manifest))
    const second = nextTestRoster(first)
    const steps = [first, second, nextTestRoster(second)].map((roster) => encodeRosterStep(certifiedToStep(roster)))
    const replay = (given: readonly Uint8Array[]) => {
      const request = async (_peer: unknown, _protocol: unknown, bytes: Uint8Array): Promise<Uint8Array> => {
        const asked = decodeRosterRequest(bytes)
        return encodeNewsReply({ pins: [], step: asked.op === 'news' ? given[asked.height] : undefined })
      }
      return replayFrom(
        { request },
        manifest,
        { name: 'ash', key: new Uint8Array(32), addresses: [] },
        { progress() {} },
      )
    }
    const honest = await replay(steps)
    expect(honest.problem).toBeUndefined()
    for (let i = 0; i < EACH; i++) {
      const at = below(steps.length)
      const chain = await replay(steps.map((step, n) => (n === at ? flipped(step) : step)))
      expect(chain.problem !== undefined || disagreements([honest, chain]).length > 0, `step ${at}`).toBe(true)
    }
  })

  it('every flipped bit of an answer is named, signed again or not', async () => {
    const federation = await startFederation({ dir: join(dir, 'federation') })
    const file = join(dir, 'federation.json')
    writeFileSync(file, JSON.stringify(federation.manifest))
    const secret = demoSecret(DEMO_PHRASE, `peer/${DEMO_OPERATORS[0]}`)
    const [ash] = federation.manifest.members
    const outside = { clock: systemClock(), log: silent }
    const port = await freePort('127.0.0.1')
    // The same key at another address: it asks the real node, and changes the answer on the way.
    const between = await createHost({ ...outside, secret, listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    const client = await createHost({ ...outside, secret: systemRandom(32), listen: [] })
    const real = { key: peerIdToKey(ash!.peerId), addresses: ash!.addresses }
    let change = (answer: Uint8Array, _request: Uint8Array): Uint8Array => answer
    await between.serve(ROSTER_PROTOCOL, (request) => client.request(real, ROSTER_PROTOCOL, request))
    await between.serve(EVALUATE_PROTOCOL, async (request) =>
      change(await client.request(real, EVALUATE_PROTOCOL, request), request),
    )
    const verify = async () => {
      const address = `/ip4/127.0.0.1/tcp/${port}/p2p/${ash!.peerId}`
      const { code, stdout } = await run('--json', 'verify', 'node', address, '--federation', file)
      return { code, said: JSON.parse(stdout.join('')) }
    }
    try {
      expect(await verify()).toMatchObject({ code: 0, said: { ok: true } })
      for (let i = 0; i < EACH; i++) {
        change = (answer, request) => {
          const unsigned = flipped(answer.subarray(0, answer.length - SIGNATURE_BYTES), isFree)
          if (i % 2 === 0) return concatBytes(unsigned, answer.subarray(answer.length - SIGNATURE_BYTES))
          const signer = nativeSigner(secret)
          return concatBytes(unsigned, signContent(signer, 'geotrace/evaluation', answerContent(request, unsigned)))
        }
        const { code, said } = await verify()
        expect(code, JSON.stringify(said)).toBe(1)
        expect(said.answers.every(({ problem }: { problem?: string }) => problem !== undefined)).toBe(true)
      }
    } finally {
      await Promise.all([client.stop(), between.stop()])
      await federation.stop()
    }
    process.stdout.write(`${4 * EACH} tamperings, each named\n`)
  })
})
