import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** Tests resolve a package by its "source" condition, so only this test sees a wrong path of the build. */
it('every path in the exports and bin of the packages names a file of the sources or of the build', () => {
  const paths = ['core-wasm', 'node', 'client'].flatMap((name) => {
    const { exports, bin = {} } = JSON.parse(readFileSync(resolve(root, name, 'package.json'), 'utf8'))
    const entries = Object.values<string | Record<string, string>>(exports)
    const targets = [...entries.flatMap((entry) => pathsOf(entry)), ...Object.values(bin)]
    // A pattern such as "./app/dist/*" names a folder.
    return targets.map((path) => resolve(root, name, (path as string).replace(/\*$/, '')))
  })
  expect(paths.length).toBeGreaterThan(20)
  expect(paths.filter((path) => !existsSync(path))).toEqual([])
})

function pathsOf(entry: string | Record<string, string>): string[] {
  return typeof entry === 'string' ? [entry] : Object.values(entry)
}
