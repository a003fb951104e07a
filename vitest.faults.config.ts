import { defineConfig } from 'vitest/config'

// `npm run test:faults -- NAME`: attacks, overload, kills, partitions, fuzzing and histories at full size, with times. Each
// test takes minutes. All fuzzing takes hours, and ten thousand histories take half a day of one core. FAULTS_… and SIM_…
// set smaller numbers. Build first.
const conditions = ['source', 'node', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['*/test/faults/**/*.test.ts'],
    testTimeout: 6 * 60 * 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 100_000 } },
    // Each test measures times, so tests must not run side by side.
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
})
