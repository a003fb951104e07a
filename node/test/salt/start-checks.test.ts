import { simulatedClock } from '@geotrace/core-wasm'
import { assertManifest, DEMO_PHRASE, demoSecret } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { errorCode } from '../error-code.ts'
import { type Cast, cast, core, Stage } from './federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)
const stage = new Stage()
afterEach(() => stage.end())

const start = async (more: Partial<Parameters<Stage['node']>[0]>, players: Cast): Promise<string> => {
  const init = {
    manifest: players.manifest,
    secret: players.secrets[0]!,
    dir: await stage.dir(),
    clock: simulatedClock(NOW),
  }
  return await errorCode(stage.node({ ...init, ...more }).start())
}

describe('the checks at the start of a salt node', () => {
  it('a salt node does not start with a core that the manifest does not pin', async () => {
    const players = await cast(3, NOW)
    expect(await start({ core: { ...core, sha256: 'ab'.repeat(32) } }, players)).toBe('CORE_MISMATCH')
    expect(await start({}, players)).toBe('OK')
  })

  it('a salt node does not start as the central peer; a stranger’s node starts in the state `joining`', async () => {
    const players = await cast(3, NOW)
    expect(await start({ secret: players.centralSecret }, players)).toBe('MANIFEST_INVALID')
    const stranger = { secret: systemRandom(32), operatorSecret: systemRandom(32), dir: await stage.dir() }
    const node = stage.node({ manifest: players.manifest, clock: simulatedClock(NOW), addresses: [], ...stranger })
    await node.start()
    expect(node.status()).toMatchObject({ state: 'joining', shards: [] })
    expect(node.membership()!.isPeer()).toBe(false)
  })

  it('a salt node of a federation with demo keys starts on the loopback only', async () => {
    const players = await cast(3, NOW)
    const operators = players.manifest.operators.map((operator) => ({
      ...operator,
      key: Buffer.from(nativeSigner(demoSecret(DEMO_PHRASE, `operator/${operator.name}`)).key).toString('hex'),
    }))
    const demo = assertManifest({ ...players.manifest, operators })
    expect(await start({ manifest: demo, listen: ['/ip4/0.0.0.0/tcp/0'] }, players)).toBe('ADDRESS_NOT_LOOPBACK')
    expect(await start({ manifest: demo, listen: ['/ip4/127.0.0.1/tcp/0'] }, players)).toBe('OK')
  })
})
