import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const folder = new URL('../examples/', import.meta.url)
const names = readdirSync(folder)
const LINES_MAX = 25

/** browser/examples.test.ts runs the examples for pages. */
describe('the examples', () => {
  it('the Node example computes risk hashes', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('node.js', folder))])
    const [points, salts, bytes] = stdout.match(/\d+/g)!.map(Number)
    expect(stdout).toBe(`${points} risk points, ${salts} salts, ${bytes} bytes of hashes\n`)
    expect(points).toBeGreaterThan(30)
    expect(salts).toBeGreaterThanOrEqual(10)
    expect(bytes).toBe(points! * 12)
  })

  it('every example is short, and the README links to it', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) {
      expect(readFileSync(new URL(name, folder), 'utf8').split('\n').length, name).toBeLessThanOrEqual(LINES_MAX)
      expect(readme, name).toContain(`(examples/${name})`)
    }
  })
})
