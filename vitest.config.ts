import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Tests read the sources ("source" in each package's exports), so that a failing line is a line one can edit.
const conditions = ['source', 'node', 'import', 'module', 'default']
const project = (name: string) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    root: name,
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.slow.test.ts', 'test/**/*.browser.test.ts', 'test/faults/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})

/** The longest, half a minute and more each: begun last, one of them would run alone at the end while a core stands still. */
const LONGEST = [
  'simulation/histories',
  'browser/browser',
  'e2e/replay',
  'membership/succession',
  'central/store/kill',
  'e2e/demo',
  'net/under-attack',
  'browser/golden',
  'net/host',
  'cli/volunteer',
].map((name) => `/test/${name}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(name))
      return found < 0 ? LONGEST.length : found
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // Most tests wait for other processes half of their time: a worker for each core, none left free.
    maxWorkers: availableParallelism(),
    projects: [project('core-wasm'), project('client'), project('node')],
  },
})
