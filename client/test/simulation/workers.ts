/**
 * Histories on all cores. Each worker process takes seed after seed and runs the simulation as one bundled file. The
 * bundle takes a fifth less time than the modules that Vitest loads, and produces the same histories.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { type Campaign, createTally } from './campaign.ts'
import type { History, Scale } from './history.ts'

/** The message to a worker. */
export interface Task {
  readonly seed: string
  readonly largest: Scale
}
/** The message of a worker: after its start with neither history nor failure, then after each seed. */
export interface Report {
  readonly history?: History
  /** The error that ended the history. */
  readonly failure?: string
  readonly cpuSeconds: number
}

const here = fileURLToPath(new URL('.', import.meta.url))
/** A folder in the repository, outside git, so that Node resolves the packages that are not bundled. */
const BUILD = join(here, '../../build')
/** The modules that the tests replace with `vi.mock`, and what replaces them. */
const MOCKS = [
  {
    module: /(^@noble\/curves\/ed25519\.js|\/native-signer\.ts|\/host-verify\.ts)$/,
    file: join(here, 'native-ed25519.ts'),
  },
  { module: /\/group\.ts$/, file: join(here, '../../../core-wasm/test/voprf/toy-group.ts') },
]
const CONDITIONS = ['source', 'node', 'import', 'module', 'default']

/** Runs all seeds in at most `workers` processes. Calls `onHistory` after each history with the sum so far. */
export async function runOnWorkers(
  seeds: readonly string[],
  largest: Scale,
  workers: number,
  onHistory: (sum: Campaign, history?: History) => void = () => {},
): Promise<Campaign> {
  await mkdir(BUILD, { recursive: true })
  const dir = await mkdtemp(join(BUILD, 'histories-'))
  const tally = createTally()
  const left = seeds[Symbol.iterator]()
  try {
    const file = join(dir, 'worker.js')
    await bundleWorker(file)
    const lead = (child: ChildProcess): Promise<void> =>
      new Promise((resolve, reject) => {
        let seed: string | undefined
        child.on('message', ({ history, failure, cpuSeconds }: Report) => {
          if (history !== undefined) tally.add(history, cpuSeconds)
          if (failure !== undefined) tally.fail(seed!, largest, failure)
          if (seed !== undefined) onHistory(tally.sum(), history)
          seed = left.next().value
          if (seed === undefined) child.disconnect()
          else child.send({ seed, largest } satisfies Task)
        })
        child.on('error', reject)
        child.on('exit', (code, signal) => {
          if (seed !== undefined) tally.fail(seed, largest, `its process ended with ${signal ?? `exit code ${code}`}`)
          resolve()
        })
      })
    const count = Math.min(workers, seeds.length)
    await Promise.all(Array.from({ length: count }, () => lead(fork(file, { execArgv: [] }))))
  } finally {
    await rm(dir, { recursive: true })
  }
  return tally.sum()
}

function mockOf(id: string): string | undefined {
  return MOCKS.find(({ module }) => module.test(id))?.file
}

async function bundleWorker(file: string): Promise<void> {
  const made = await rolldown({
    input: join(here, 'worker.ts'),
    platform: 'node',
    resolve: { conditionNames: CONDITIONS },
    external: (id) => !/^[./]/.test(id) && !id.startsWith('@geotrace/') && mockOf(id) === undefined,
    logLevel: 'silent',
    plugins: [
      {
        name: 'mocks',
        resolveId: (id, from) => {
          const mock = mockOf(id)
          return mock === from ? undefined : mock
        },
      },
    ],
  })
  await made.write({ file, format: 'esm', codeSplitting: false })
  await made.close()
}
