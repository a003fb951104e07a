import { defineConfig } from 'vitest/config'

// `npm run test:faults`: attacks, overload, kills and partitions at full size, with times; minutes to an hour. Build first.
const conditions = ['source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['*/test/faults/**/*.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    // Each measures: side by side they would measure each other.
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
})
