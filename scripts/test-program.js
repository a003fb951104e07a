/**
 * Runs a TypeScript test program in a process of its own. The process prepares itself, then waits for one line of
 * standard input: a JSON list of the program's path from the root and its arguments.
 */
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { createViteServer } from 'vitest/node'

const conditions = ['source', 'node', 'import', 'module', 'default']
const server = await createViteServer({
  configFile: false,
  root: resolve(import.meta.dirname, '..'),
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
  resolve: { conditions },
  ssr: { resolve: { conditions } },
})
const [line] = await once(createInterface({ input: process.stdin }), 'line')
process.argv.splice(2, 1, ...JSON.parse(line))
await server.ssrLoadModule(process.argv[2])
