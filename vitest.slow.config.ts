import { defineConfig } from 'vitest/config'

// `npm run test:slow`: tests of minutes to an hour, and in full what `npm test` repeats only in part (vitest.config.ts).
// Tests read the sources as they are; build first.
const conditions = ['source', 'node', 'module', 'default']
const REPEATED = [
  'client/test/lives.test.ts',
  'client/test/simulation/histories.test.ts',
  'node/test/central/store/level/flips.test.ts',
  'node/test/central/store/level/kill.test.ts',
]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['*/test/**/*.slow.test.ts', ...REPEATED],
    testTimeout: 600_000,
    expect: { poll: { timeout: 100_000 } },
    provide: { histories: 200, lives: 6, storeKills: 20, erasureKills: 6, storeFlips: 2_000 },
  },
})
