import { defineConfig } from 'vitest/config'

// `npm run test:slow`: what takes minutes to an hour, on the sources as they are; build first.
const conditions = ['source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['*/test/**/*.slow.test.ts'], testTimeout: 600_000 },
})
