import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

declare module 'vitest' {
  /** How often `npm test` repeats what `npm run test:slow` repeats in full. Tests read a number with `inject`. */
  interface ProvidedContext {
    /** Histories of the small simulation. */
    histories: number
    /** Ways of life whose redaction is tested over weeks. */
    lives: number
    /** Kills of a process that deposits into the central store, and of a process that erases a user from it. */
    storeKills: number
    erasureKills: number
    /** Bits that are flipped in the files of the central store. */
    storeFlips: number
  }
}

// Tests read the sources ("source" in each package's exports), so that a failing line is a line one can edit.
const conditions = ['source', 'node', 'module', 'default']
const EXCLUDED = /\.(slow|browser)\.test\.ts$|^test\/faults\//

/**
 * Tests with a process of their own: they measure, search or attack their own process, or they run long.
 * All other tests share a few processes, which saves most of the time of imports.
 */
const APART = [
  'core-wasm/test/browser/',
  'client/test/browser/',
  'client/test/simulation/',
  'node/test/attack/',
  'node/test/e2e/',
  'node/test/membership/succession',
  'node/test/net/under-attack',
  'node/test/salt/memory',
]
/** A file that replaces a module or a global needs a process of its own too: others would see the replacement. */
const REPLACES = /\bvi\.(mock|spyOn|stub|useFake)/

function testFiles(name: string): string[] {
  const folder = fileURLToPath(new URL(name, import.meta.url))
  return readdirSync(join(folder, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => `test/${path.replaceAll('\\', '/')}`)
    .filter((path) => !EXCLUDED.test(path))
}

function isApart(name: string, path: string): boolean {
  if (APART.some((start) => `${name}/${path}`.startsWith(start))) return true
  return REPLACES.test(readFileSync(new URL(`${name}/${path}`, import.meta.url), 'utf8'))
}

const project = (name: string, isolate: boolean) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: isolate ? `${name}-apart` : name,
    root: name,
    include: testFiles(name).filter((path) => isApart(name, path) === isolate),
    isolate,
    setupFiles: [fileURLToPath(new URL('vitest.setup.ts', import.meta.url))],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A busy machine may need a minute for what takes a second.
    expect: { poll: { timeout: 100_000 } },
    provide: { histories: 50, lives: 2, storeKills: 5, erasureKills: 3, storeFlips: 30 },
  },
})

/** The longest first: begun last, such a file would run alone at the end while a core stands still. */
const LONGEST = [
  'attack/gates',
  'browser/browser',
  'e2e/replay',
  'simulation/histories',
  'e2e/demo',
  'membership/succession',
  'e2e/kills',
  'net/under-attack',
  'browser/golden',
  'cli/volunteer',
  'e2e/install',
  'salt/memory',
  'simulation/judge',
  'level/kill',
  'net/host',
].map((name) => `${name}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((name) => moduleId.endsWith(name))
      return found < 0 ? LONGEST.length : found
    }
    // Then one project after the other: Vitest passes a shared process on only to the next file of its own project.
    const compare = (a: TestSpecification, b: TestSpecification): number =>
      place(a) - place(b) || a.project.name.localeCompare(b.project.name)
    return (await super.sort(files)).sort(compare)
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // Tests wait half of their time, for timers and for other processes, so one worker more than cores.
    maxWorkers: availableParallelism() + 1,
    // Projects of one folder, and later runs, reuse transformed sources. `npx vitest --clearCache` deletes them.
    experimental: { fsModuleCache: true },
    projects: ['core-wasm', 'client', 'node'].flatMap((name) => [project(name, true), project(name, false)]),
  },
})
