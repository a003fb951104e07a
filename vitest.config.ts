import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

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

export default defineConfig({
  test: {
    // Most tests wait for other processes half of their time: a worker for each core, none left free.
    maxWorkers: availableParallelism(),
    projects: [project('core-wasm'), project('client'), project('node')],
  },
})
