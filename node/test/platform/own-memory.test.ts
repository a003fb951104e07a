import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ownMemory } from '../../src/platform/own-memory.ts'

it('the own memory counts what a process allocates, and not its mapped files', () => {
  const before = ownMemory()
  const held = Buffer.alloc(64 << 20, 1)
  expect(ownMemory() - before).toBeGreaterThan(48 << 20)
  expect(held.at(-1)).toBe(1)
  if (!existsSync('/proc/self/status')) return
  const files = Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1_024
  // The program of Node alone is a mapped file of many megabytes.
  expect(files).toBeGreaterThan(10 << 20)
  expect(ownMemory()).toBeLessThan(process.memoryUsage.rss())
})
