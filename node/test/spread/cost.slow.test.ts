/** The cost of both roles for 10,000 slips and 2,401 cells at ε = 1, in X25519 of the same run. */
import { diffieHellman, generateKeyPairSync } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { secretToSealKey } from '@geotrace/core-wasm/seal'
import { makeSlip } from '@geotrace/core-wasm/spread'
import { foundRoster, TEST_OPERATORS, testManifest, testSigner, testTrees } from '@geotrace/core-wasm/testing'
import { concatBytes, decodeSpread, drawSpreadRoles, equalBytes, manifestToId } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { systemRandom } from '../../src/platform/random.ts'
import { nativeSeal } from '../../src/spread/native-seal.ts'
import { countBatch, mixBatch } from '../../src/spread/role-work.ts'

const SLIPS = 10_000
const PERIOD = 20_790
/** Measurements of one X25519 before and after each role. */
const AGREEMENTS = 2_000
const COST_MAX = 60

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
async function costOf<T>(task: () => Promise<T>): Promise<[value: T, ms: number]> {
  const before = cpuMs()
  return [await task(), cpuMs() - before]
}
async function agreementMs(): Promise<number> {
  const [own, other] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')]
  const [, ms] = await costOf(async () => {
    for (let i = 0; i < AGREEMENTS; i++) diffieHellman({ privateKey: own.privateKey, publicKey: other.publicKey })
  })
  return ms / AGREEMENTS
}

it('each role costs at most 60 X25519 a contribution, and the counts are true but for the noise', async () => {
  const spread = { areas: [7], resolution: 8, periodDays: 7, minimum: 200, epsilon: 1_000 }
  const manifest = testManifest({ spread, shards: 1 })
  const certified = foundRoster(manifest, testTrees(manifest))
  const federation = manifestToId(manifest)
  const rule = { spread, certified, ...drawSpreadRoles(certified.roster, PERIOD)! }
  const signerOf = (key: Uint8Array) =>
    TEST_OPERATORS.map((name) => testSigner(`peer/${name}`)).find((signer) => equalBytes(signer.key, key))!
  const secrets = { mixer: systemRandom(32), teller: systemRandom(32) }
  const keys = { mixer: secretToSealKey(secrets.mixer), teller: secretToSealKey(secrets.teller) }
  const math = nativeSeal()
  const exact = new Array<number>(2_402).fill(0)
  const slips = Array.from({ length: SLIPS }, (_, i) => {
    const bucket = Math.floor(2_402 * (i / SLIPS) ** 3)
    exact[bucket]!++
    return makeSlip({ federation, period: PERIOD }, keys, bucket, systemRandom, math)
  })
  const shared = {
    federation,
    period: PERIOD,
    rule,
    random: systemRandom,
    pause: async () => void (await setImmediate()),
  }
  const units = [await agreementMs()]
  const mixing = { ...shared, signer: signerOf(rule.mixer.key), secret: secrets.mixer }
  const [mixed, mixMs] = await costOf(() => mixBatch(mixing, concatBytes(...slips), keys.teller))
  units.push(await agreementMs())
  if (mixed.kind !== 'mixed') return expect.unreachable()
  const telling = { ...shared, signer: signerOf(rule.teller.key), secret: secrets.teller }
  const [counted, countMs] = await costOf(() => countBatch(telling, mixed.items))
  units.push(await agreementMs())
  if (counted.kind !== 'counted') return expect.unreachable()
  const { counts } = decodeSpread(counted.spread)
  const rmse = Math.sqrt(counts.reduce((sum, count, i) => sum + (count - exact[i]!) ** 2, 0) / counts.length)
  const unit = units.sort((a, b) => a - b)[1]!
  const figures = {
    mixer: mixMs / SLIPS / unit,
    teller: countMs / SLIPS / unit,
    mixMs,
    countMs,
    unitsMs: units,
    items: mixed.items.length / 56,
    rmse,
  }
  process.stdout.write(`cost of the roles: ${JSON.stringify(figures)}\n`)
  expect(rmse).toBeLessThanOrEqual(2.1)
  expect(Math.max(figures.mixer, figures.teller)).toBeLessThanOrEqual(COST_MAX)
}, 600_000)
