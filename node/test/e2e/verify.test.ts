import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import {
  answerContent,
  concatBytes,
  DEMO_PHRASE,
  demoSecret,
  EVALUATE_PROTOCOL,
  peerIdToKey,
  ROSTER_PROTOCOL,
  signContent,
} from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { metrics } from '../../src/admin/metrics.ts'
import { CENTRAL_GAUGES, measure } from '../../src/cli/central/gauges.ts'
import { readBuilt } from '../../src/cli/verify/release.ts'
import { DEMO_OPERATORS, type LocalFederation, startFederation } from '../../src/local/local-federation.ts'
import { createHost } from '../../src/net/host.ts'
import { silent } from '../../src/platform/log.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { run } from '../cli/captured.ts'

const SIGNATURE_BYTES = 64
const dir = mkdtempSync(join(tmpdir(), 'geotrace-verify-'))
const file = join(dir, 'federation.json')
let federation: LocalFederation

beforeAll(async () => {
  federation = await startFederation({ dir: join(dir, 'federation') })
  writeFileSync(file, JSON.stringify(federation.manifest))
})
afterAll(async () => {
  await federation?.stop()
  rmSync(dir, { recursive: true })
})

async function verify(...args: string[]) {
  const { code, stdout } = await run('--json', 'verify', ...args, '--federation', file)
  return { code, said: JSON.parse(stdout.join('')) }
}

describe('a running federation, seen from outside', () => {
  it('two peers hand out the founding roster, which all founders voted for', async () => {
    const { code, said } = await verify('federation')
    expect(code).toBe(0)
    expect(said.chains).toHaveLength(2)
    for (const { rosters, problem } of said.chains) {
      expect(problem).toBeUndefined()
      expect(rosters).toHaveLength(1)
      expect(rosters[0].votes.length).toBeGreaterThanOrEqual(4)
    }
    expect((await run('verify', 'federation', 'nobody', '--federation', file)).code).toBe(2)
  })

  it('a release that no roster names is named, although all of its files are there', async () => {
    const release = join(dir, 'release.json')
    mkdirSync(join(dir, 'core-wasm'))
    writeFileSync(join(dir, 'package-lock.json'), '{}')
    const built = await readBuilt(dir)
    writeFileSync(release, JSON.stringify({ version: 1, commit: 'a'.repeat(40), node: '20.19.0', ...built }))
    const { code, said } = await verify('build', release, dir)
    expect({ code, ...said }).toMatchObject({ code: 1, agreed: { height: 0, release: null }, differences: [] })
  })

  it('the answers of an honest node are those that its sheets commit to', async () => {
    const { code, said } = await verify('node', 'ash')
    expect({ code, ok: said.ok, claims: said.claims }).toEqual({ code: 0, ok: true, claims: null })
    expect(said.answers.length).toBeGreaterThan(0)
  })

  it('Prometheus reads every measure of the central peer', async () => {
    const scraped = metrics(CENTRAL_GAUGES, () => measure(federation.central, 1_024))
    // No other process has this store, so none leads.
    const measured = Object.keys(CENTRAL_GAUGES).filter((name) => name !== 'geotrace_leads')
    // Nothing is left out, because every part of the peer is sound; it measures its disk a moment after the start.
    const missing = (text: string): string[] => measured.filter((name) => !new RegExp(`^${name} \\d`, 'm').test(text))
    await expect.poll(async () => missing((await scraped.answer()).body)).toEqual([])
    const { body } = await scraped.answer()
    scraped.stop()
    for (const line of ['geotrace_healthy 1', 'geotrace_roster_height 0', 'geotrace_rosters_current 1']) {
      expect(body).toContain(`\n${line}\n`)
    }
    for (const line of ['geotrace_users 0', 'geotrace_store_readable 1', 'geotrace_codes_open 0']) {
      expect(body).toContain(`\n${line}\n`)
    }
  })

  it('a node whose evaluations are those of another node, or altered on the way, is found out', async () => {
    const [ash, birch] = federation.manifest.members
    const secret = demoSecret(DEMO_PHRASE, `peer/${DEMO_OPERATORS[0]}`)
    await federation.saltNodes[0]!.stop()
    const outside = { clock: systemClock(), log: silent }
    const client = await createHost({ ...outside, secret: systemRandom(32), listen: [] })
    const listen = ash!.addresses.filter((address) => /\/tcp\/\d+$/.test(address))
    const impostor = await createHost({ ...outside, secret, listen })
    const other = { key: peerIdToKey(birch!.peerId), addresses: birch!.addresses }
    const signer = nativeSigner(secret)
    let isSigned = true
    await impostor.serve(ROSTER_PROTOCOL, (request) => client.request(other, ROSTER_PROTOCOL, request))
    await impostor.serve(EVALUATE_PROTOCOL, async (request) => {
      const answer = await client.request(other, EVALUATE_PROTOCOL, request)
      const unsigned = answer.subarray(0, answer.length - SIGNATURE_BYTES)
      if (!isSigned) return answer
      return concatBytes(unsigned, signContent(signer, 'geotrace/evaluation', answerContent(request, unsigned)))
    })
    for (const [signed, problem] of [
      [true, 'its proof fails'],
      [false, 'its signature fails'],
    ] as const) {
      isSigned = signed
      const { code, said } = await verify('node', 'ash')
      expect(code).toBe(1)
      expect(said.answers.map((item: { problem: string }) => item.problem)).toContain(problem)
    }
    await Promise.all([client.stop(), impostor.stop()])
  })
})
