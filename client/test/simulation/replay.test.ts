import { writeFileSync } from 'node:fs'
import { loadCore } from '@geotrace/core-wasm'
import { expect, it, vi } from 'vitest'
import { describeFailure } from './campaign.ts'
import { faultsNamed, runHistory, type Scale } from './history.ts'

vi.mock('@noble/curves/ed25519.js', () => import('./native-ed25519.ts'))
vi.mock('../../../node/src/platform/native-signer.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/wire/encoding/host-verify.ts', () => import('./native-ed25519.ts'))
vi.mock('../../../core-wasm/src/voprf/group.ts', () => import('../../../core-wasm/test/voprf/toy-group.ts'))

/** Replays the seed of the environment. Without one, replays a history without faults, which must end without a finding. */
const { SIM_SEED = 'quiet', SIM_SCALE, SIM_KINDS, SIM_TRACE } = process.env
const scale: Scale = JSON.parse(SIM_SCALE ?? '{"nodes":4,"devices":4,"hours":1,"faults":0}')

it(`the history of seed ${SIM_SEED} ends without a finding`, async () => {
  const lines: string[] = []
  const history = await runHistory({
    seed: SIM_SEED,
    scale,
    core: await loadCore(),
    kinds: faultsNamed(SIM_KINDS?.split(',') ?? []),
    listen: (line) => lines.push(line),
  })
  if (SIM_TRACE !== undefined) writeFileSync(SIM_TRACE, lines.join(''))
  expect(history.findings.length === 0 ? '' : describeFailure(history)).toBe('')
  expect(lines.length).toBeGreaterThan(history.events / 4)
  if (scale.faults === 0) expect(Object.keys(history.unfinished).filter((how) => how !== 'CODE_SPENT')).toEqual([])
})
