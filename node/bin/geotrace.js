#!/usr/bin/env node
// Committed, so that npm can link it before anything is built.
import { existsSync } from 'node:fs'

const built = new URL('../dist/cli/main.js', import.meta.url)
if (!existsSync(built)) {
  console.error('geotrace is not built yet: run `npm run build` first')
  process.exit(1)
}
const { main } = await import(built.href)
await main(process.argv.slice(2))
