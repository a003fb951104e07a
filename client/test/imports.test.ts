/** The static imports of the package: nothing of Node, and nothing large that an app may never need. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const src = resolve(dirname(fileURLToPath(import.meta.url)), '../src')
/** Modules that may be loaded only when they are needed. */
const LAZY =
  /^(node:|libp2p|@libp2p\/|@chainsafe\/|@multiformats\/|level$|h3-js$|ws$|csv-parse|fast-xml-parser|fit-file-parser|@streamparser\/)/

/** Modules that `entry` imports statically, without type imports: own files by path, others by name. */
function staticImports(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen
  seen.add(entry)
  const text = readFileSync(entry, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')
  for (const [, clause = '', name = ''] of text.matchAll(/^(?:import|export)\s+([^'"]*?from\s+)?['"]([^'"]+)['"]/gm)) {
    const named = /^\{([^}]*)\}/.exec(clause)?.[1]
    const typesOnly = /^type\s/.test(clause) || named?.split(',').every((item) => /^\s*(type\s|$)/.test(item)) === true
    if (typesOnly) continue
    if (name.startsWith('.')) staticImports(resolve(dirname(entry), name), seen)
    else seen.add(name)
  }
  return seen
}

describe('importing the client', () => {
  it('importing the client loads nothing of Node, no libp2p, no level, no h3-js and no parser', () => {
    const imports = [...staticImports(resolve(src, 'index.ts'))]
    expect(imports.length).toBeGreaterThan(25)
    expect(imports.filter((name) => LAZY.test(name))).toEqual([])
    expect(imports).toContain('@geotrace/core-wasm')
    expect(imports.some((name) => name.endsWith('node.ts'))).toBe(false)
  })

  it('the search for static imports finds the ones of other entries', () => {
    expect([...staticImports(resolve(src, 'node.ts'))].filter((name) => LAZY.test(name))).toEqual(['node:fs/promises'])
    expect([...staticImports(resolve(src, 'redaction/redactor.ts'))]).toContain('h3-js')
    expect([...staticImports(resolve(src, 'importers/index.ts'))].filter((name) => LAZY.test(name)).sort()).toEqual([
      '@streamparser/json',
      'csv-parse/browser/esm/sync',
      'fast-xml-parser',
    ])
  })

  it('only fix-states.ts names the records of a fix', () => {
    const files = [...staticImports(resolve(src, 'index.ts')), ...staticImports(resolve(src, 'sync.ts'))]
    const named = files.filter((file) => file.startsWith('/') && /FIX_FAMILIES/.test(readFileSync(file, 'utf8')))
    expect([...new Set(named)]).toEqual([resolve(src, 'diary/fix-states.ts')])
  })

  it('no file of the client names a global of Node', () => {
    for (const file of staticImports(resolve(src, 'index.ts'))) {
      if (!file.startsWith('/')) continue
      expect(readFileSync(file, 'utf8')).not.toMatch(/\b(Buffer|process\.|__dirname|require\()/)
    }
  })
})
