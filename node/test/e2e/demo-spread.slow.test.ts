import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin/geotrace.js', import.meta.url))
const directories = () => readdirSync(tmpdir()).filter((name) => name.startsWith('geotrace-demo-'))

it('demo spread --once counts the places of invented reporters, ends by itself and leaves no folder', async () => {
  const before = directories()
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [BIN, 'demo', 'spread', '--once', '--reports', '100', '--json'],
    { timeout: 550_000 },
  )
  const { reports, mixer, teller, view } = JSON.parse(stdout)
  expect(reports).toBe(100)
  expect(new Set([mixer, teller]).size).toBe(2)
  // The first venue draws a third of all people, far above the threshold.
  expect(view.cells[0].count).toBeGreaterThan(20)
  expect(directories().filter((name) => !before.includes(name))).toEqual([])
}, 600_000)
