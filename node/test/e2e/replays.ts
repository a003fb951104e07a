import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

/** `geotrace replay` as a user runs it. The real tracks lie next to the repository and may be absent. */
const BIN = fileURLToPath(new URL('../../bin/geotrace.js', import.meta.url))
export const TRACES = resolve(fileURLToPath(import.meta.url), '../../../../../shared/traces')
export const GEOLIFE = join(TRACES, 'geolife')
export const hasTraces = existsSync(TRACES)
if (!hasTraces)
  process.stderr.write(
    '\n*** SKIPPED: no recorded tracks in ../shared/traces; the replay of real people did not run ***\n\n',
  )

export function geotrace(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [BIN, ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

interface Marked {
  id: string
  degree: number
  same: number
  trail: number
  exposures: { from: number; to: number; lat: number; lng: number; matches: number }[]
}

/** Expects exactly the two people whom 003 met in Beijing, with their numbers of equal risk hashes. */
export function expectThoseWhoMet003(marked: readonly Marked[]): void {
  expect(marked.map(({ id, degree, same, trail }) => [id, degree, same, trail])).toEqual([
    ['004', 1, 25, 0],
    ['005', 1, 167, 6],
  ])
  for (const { exposures } of marked) {
    expect(exposures.length).toBeGreaterThan(0)
    for (const { from, to, lat, lng, matches } of exposures) {
      expect(to).toBeGreaterThan(from)
      expect(matches).toBeGreaterThan(0)
      expect([Math.round(lat), Math.round(lng)]).toEqual([40, 116])
    }
  }
}
