import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** The repository reads itself: README "The house", CONTRIBUTING. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const ROOMS = ['core-wasm', 'node', 'client']
const FILES_PER_ROOM_MAX = 20

const walk = (dir: string): string[] =>
  !existsSync(dir)
    ? []
    : readdirSync(dir).flatMap((name) => {
        const path = join(dir, name)
        if (['node_modules', 'dist', 'build', 'generated'].includes(name)) return []
        return statSync(path).isDirectory() ? walk(path) : [path]
      })
const short = (path: string) => relative(root, path).replaceAll('\\', '/')
const sources = ROOMS.flatMap((room) => walk(join(root, room)).filter((path) => /\.(ts|js)$/.test(path)))
const src = sources.filter((path) => /^[^/]+\/(src|assembly)\//.test(short(path)))

interface Import {
  from: string
  /** A repository path for a relative import, otherwise the bare specifier. */
  to: string
}
const IMPORT = /^(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm
const imports: Import[] = sources.flatMap((path) =>
  [...stripComments(readFileSync(path, 'utf8')).matchAll(IMPORT)]
    .map((match) => (match[1] ?? match[2] ?? match[3])!)
    .map((to) => ({ from: short(path), to: to.startsWith('.') ? short(resolve(dirname(path), to)) : to })),
)
const offenders = (from: RegExp, to: (specifier: string) => boolean) =>
  imports.filter((item) => from.test(item.from) && to(item.to)).map(({ from: a, to: b }) => `${a} → ${b}`)
const packageOf = (specifier: string) =>
  specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!
const isBare = (to: string) => !ROOMS.some((room) => to.startsWith(`${room}/`)) && !to.startsWith('scripts/')

describe('imports go one way', () => {
  it('finds the imports it judges', () => {
    expect(imports.length).toBeGreaterThan(200)
    expect(imports.some(({ from, to }) => from.startsWith('client/src') && to.startsWith('@geotrace/core-wasm'))).toBe(
      true,
    )
  })

  it('assembly imports nothing but itself', () => {
    expect(offenders(/^core-wasm\/assembly\//, (to) => !to.startsWith('core-wasm/assembly/'))).toEqual([])
  })

  it('wire imports only wire and libraries for bytes, so no message can name a place', () => {
    const libraries = ['@noble/hashes', '@noble/curves', 'cborg', 'zod', 'multiformats']
    expect(
      offenders(
        /^core-wasm\/src\/wire\//,
        (to) => !to.startsWith('core-wasm/src/wire/') && !libraries.includes(packageOf(to)),
      ),
    ).toEqual([])
    const named = src
      .filter((path) => short(path).startsWith('core-wasm/src/wire/'))
      .filter((path) =>
        /\b(lat|lng|latitude|longitude|Fix|fixTo\w+|Cell|cellTo\w+)\b/.test(stripComments(readFileSync(path, 'utf8'))),
      )
    expect(named.map(short)).toEqual([])
  })

  it('the core knows neither node nor client, and h3-js only to make tables and to test', () => {
    expect(
      offenders(/^core-wasm\//, (to) => /^(node|client)\//.test(to) || /^@geotrace\/(node|client)/.test(to)),
    ).toEqual([])
    expect(
      offenders(/^core-wasm\/src\//, (to) => to === 'h3-js').filter(
        (line) => !line.startsWith('core-wasm/src/testing/'),
      ),
    ).toEqual([])
  })

  it('client and node do not know each other, with the exceptions of the README', () => {
    expect(
      offenders(/^client\/(src|examples)\//, (to) => to.startsWith('node/') || to.startsWith('@geotrace/node')),
    ).toEqual([])
    expect(
      offenders(
        /^client\/test\//,
        (to) => to.startsWith('node/') || (to.startsWith('@geotrace/node') && to !== '@geotrace/node/testing'),
      ),
    ).toEqual([])
    // Where both meet.
    const meeting = /^node\/src\/cli\/(demo|replay)\//
    expect(
      offenders(/^node\/src\//, (to) => to.startsWith('client/') || to.startsWith('@geotrace/client')).filter(
        (line) => !meeting.test(line),
      ),
    ).toEqual([])
  })

  it('salt and central never import each other; platform, net and membership know no role', () => {
    expect(offenders(/^node\/src\/salt\//, (to) => to.startsWith('node/src/central/'))).toEqual([])
    expect(offenders(/^node\/src\/central\//, (to) => to.startsWith('node/src/salt/'))).toEqual([])
    expect(offenders(/^node\/src\/platform\//, (to) => /^node\/src\/(?!platform\/)/.test(to))).toEqual([])
    expect(offenders(/^node\/src\/net\//, (to) => /^node\/src\/(?!(platform|net)\/)/.test(to))).toEqual([])
    expect(offenders(/^node\/src\/membership\//, (to) => /^node\/src\/(salt|central|admin|cli)\//.test(to))).toEqual([])
  })

  it('no file imports itself by way of others, types included', () => {
    const files = src.map(short)
    expect(circles(files, (file) => imports.filter(({ from }) => from === file).map(({ to }) => to))).toEqual([])
  })

  it('every package declares what it imports', () => {
    const missing = ROOMS.flatMap((room) => {
      const manifest = JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8'))
      const declared = new Set([
        manifest.name,
        ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
      ])
      return imports
        .filter(({ from, to }) => new RegExp(`^${room}/(src|bin)/`).test(from) && isBare(to) && !to.startsWith('node:'))
        .filter(({ to }) => !declared.has(packageOf(to)))
        .map(({ from, to }) => `${from} → ${to}`)
    })
    expect(missing).toEqual([])
  })
})

describe('the rooms', () => {
  it('hold at most twenty files each', () => {
    const files = new Map<string, number>()
    for (const room of src.map((path) => dirname(short(path)))) files.set(room, (files.get(room) ?? 0) + 1)
    expect(files.size).toBeGreaterThan(30)
    expect([...files].filter(([, count]) => count > FILES_PER_ROOM_MAX)).toEqual([])
  })
})

describe('the dependencies', () => {
  it('are all used: what nobody imports is only something to attack', () => {
    // abstract-level requires `events` and leaves it to the bundler, which has none for browsers.
    const forOthers = ['client: events']
    const idle = ROOMS.flatMap((room) => {
      const { dependencies } = JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8'))
      const used = new Set(imports.filter(({ from }) => from.startsWith(`${room}/src/`)).map(({ to }) => packageOf(to)))
      return Object.keys(dependencies)
        .filter((name) => !used.has(name))
        .map((name) => `${room}: ${name}`)
    })
    expect(idle).toEqual(forOthers)
  })
})

describe('the sources', () => {
  const EDGES =
    /^(core-wasm\/src\/clock\.ts|node\/src\/(net|cli)\/.*|node\/src\/local\/local-federation\.ts|node\/src\/admin\/page\/script\.ts|client\/src\/(dialers\/deadline|tracer)\.ts)$/
  const grep = (pattern: RegExp, except: RegExp) =>
    src
      .filter((path) => !except.test(short(path)) && !short(path).includes('/assembly/'))
      .filter((path) => pattern.test(stripComments(readFileSync(path, 'utf8'))))
      .map(short)

  it('read the clock, wait and draw at random only at their edges', () => {
    expect(grep(/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bsetTimeout\(|\bsetInterval\(/, EDGES)).toEqual([])
    expect(grep(/\bMath\.random\(/, /^$/)).toEqual([])
  })

  it('have no `any` and write to the terminal in one file', () => {
    expect(grep(/(:|<|\bas) any\b/, /^$/)).toEqual([])
    expect(grep(/\bconsole\.|\bprocess\.std(out|err)\b/, /^node\/src\/cli\/terminal\/output\.ts$/)).toEqual([])
  })

  it('are all reachable from an entry', () => {
    const entries = [
      ...ROOMS.flatMap((room) => {
        const { exports = {} } = JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8'))
        return Object.values(exports as Record<string, { source: string }>).map(({ source }) =>
          short(join(root, room, source)),
        )
      }),
      'node/src/cli/main.ts',
      'core-wasm/assembly/index.ts',
      'core-wasm/assembly/sorter.ts',
    ]
    const reached = new Set<string>()
    const visit = (path: string) => {
      if (reached.has(path)) return
      reached.add(path)
      for (const { from, to } of imports) if (from === path) visit(/\.(ts|js)$/.test(to) ? to : `${to}.ts`)
    }
    for (const entry of entries) visit(entry)
    expect(src.map(short).filter((path) => !reached.has(path))).toEqual([])
  })
})

describe('the documents', () => {
  const documents = [...walk(root).filter((path) => dirname(path) === root), ...sources.map(() => '')]
    .concat(ROOMS.flatMap((room) => walk(join(root, room))))
    .filter((path) => path.endsWith('.md'))

  it('link to files that exist', () => {
    const dead = documents.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)]
        .map((match) => match[1]!)
        .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(resolve(dirname(path), link)))
        .map((link) => `${short(path)} → ${link}`),
    )
    expect(dead).toEqual([])
  })

  it('name test files that exist', () => {
    const named = documents.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/`((?:core-wasm|node|client)\/test\/[^\s`]+)`/g)].map((match) => ({
        document: short(path),
        file: match[1]!,
      })),
    )
    expect(named.filter(({ document }) => document === 'CONTRIBUTING.md').length).toBeGreaterThan(40)
    const missing = named.filter(({ file }) => !existsSync(join(root, file)))
    expect(missing.map(({ document, file }) => `${document} → ${file}`)).toEqual([])
  })

  it('have a line for every error code, and some test produces each', () => {
    const errors = readFileSync(join(root, 'core-wasm/src/wire/errors.ts'), 'utf8')
    const codes = [...errors.slice(0, errors.indexOf('\n}')).matchAll(/^ {2}([A-Z_]+):/gm)].map((match) => match[1]!)
    expect(codes.length).toBeGreaterThan(20)
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    expect(codes.filter((code) => !readme.includes(code))).toEqual([])
    const tests = sources.filter((path) => short(path).includes('/test/')).map((path) => readFileSync(path, 'utf8'))
    expect(codes.filter((code) => !tests.some((text) => text.includes(code)))).toEqual([])
  })
})

describe('the manifest of the demo', () => {
  it('pins the builds of the core that are here', async () => {
    const { CORE_SHA256 } = await import('@geotrace/core-wasm')
    const { parseManifest } = await import('@geotrace/core-wasm/wire')
    const manifest = parseManifest(readFileSync(join(root, 'federation.json'), 'utf8'))
    expect(manifest.core).toEqual(CORE_SHA256)
  })
})

/** Groups of files that import each other in a circle (Tarjan's strongly connected components). */
function circles(files: readonly string[], importsOf: (file: string) => readonly string[]): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (file: string): number => {
    index.set(file, index.size)
    low.set(file, index.size - 1)
    stack.push(file)
    for (const next of importsOf(file)) {
      if (!index.has(next)) low.set(file, Math.min(low.get(file)!, visit(next)))
      else if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, index.get(next)!))
    }
    if (low.get(file) === index.get(file)) {
      const circle = stack.splice(stack.indexOf(file))
      if (circle.length > 1) found.push(circle)
    }
    return low.get(file)!
  }
  for (const file of files) if (!index.has(file)) visit(file)
  return found
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
