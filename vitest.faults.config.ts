import { defineConfig } from 'vitest/config'

// `npm run test:faults -- NAME`: attacks, overload, kills, partitions, fuzzing and histories at full size, with times. Each
// takes minutes, all fuzzing hours, ten thousand histories half a day of one core and less on more (FAULTS_… and SIM_…
// set smaller numbers). Build first.
const conditions = ['source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['*/test/faults/**/*.test.ts'],
    testTimeout: 6 * 60 * 60_000,
    hookTimeout: 120_000,
    // Each measures: side by side they would measure each other.
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
})
