import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'))

it('exactly the packages that package.json names may run a script while they are installed', () => {
  const packages = Object.entries<{ hasInstallScript?: true }>(read('package-lock.json').packages)
  const withScript = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true)
  const names = withScript.map(([path]) => path.replace(/^.*node_modules\//, ''))
  expect(names.length).toBeGreaterThan(0)
  expect([...new Set(names)].sort()).toEqual(Object.keys(read('package.json').allowScripts).sort())
})
