import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commentToBreaches, documentToBreaches, titleToBreaches } from './tidy/english.ts'
import { type Import, importsOf, ROOMS, read, root, short, stripComments, toSource, walk } from './tidy/repository.ts'

/** The repository reads itself and holds what CONTRIBUTING promises about layout, words and texts. */
const FILES_PER_ROOM_MAX = 20
const FUNCTION_LINES_MAX = 70

const sources = ROOMS.flatMap((room) => walk(join(root, room)).filter((path) => /\.(ts|tsx|js|mjs)$/.test(path)))
/** The attack lab is no part of a package and is held to the same rules. */
const src = sources.filter((path) => /^([^/]+\/(src|assembly)|node\/attack)\//.test(short(path)))
const imports: Import[] = sources.flatMap(importsOf)
const ancestorsOf = (path: string): string[] => {
  const parent = dirname(path)
  return parent === '.' ? [] : [parent, ...ancestorsOf(parent)]
}
const parsed = src.filter((path) => !/assembly/.test(path)).map((path) => toSource(short(path)))

/** Exported by two entries of one package, which an app chooses between. */
const VARIANTS = ['levelStorage']
/** Functions that a later issue rewrites, with the lines that they may have until then. */
const LONG_FUNCTIONS: Readonly<Record<string, number>> = {
  'core-wasm/src/core/gathering.ts: gathering': 129,
  'node/src/central/sync/service.ts: syncService': 82,
}
const offenders = (from: RegExp, to: (specifier: string) => boolean) =>
  imports.filter((item) => from.test(item.from) && to(item.to)).map(({ from: a, to: b }) => `${a} → ${b}`)
const packageOf = (specifier: string) =>
  specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!
const isBare = (to: string) => !ROOMS.some((room) => to.startsWith(`${room}/`)) && !to.startsWith('scripts/')

describe('imports go one way', () => {
  it('the import rules see the imports of all three packages', () => {
    expect(imports.length).toBeGreaterThan(200)
    expect(imports.some(({ from, to }) => from.startsWith('client/src') && to.startsWith('@geotrace/core-wasm'))).toBe(
      true,
    )
  })

  it('assembly files import only assembly files', () => {
    expect(offenders(/^core-wasm\/assembly\//, (to) => !to.startsWith('core-wasm/assembly/'))).toEqual([])
  })

  it('wire imports only wire and byte libraries, and no message can name a place', () => {
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

  it('the core imports neither node nor client, and h3-js only for tables and tests', () => {
    expect(
      offenders(/^core-wasm\//, (to) => /^(node|client)\//.test(to) || /^@geotrace\/(node|client)/.test(to)),
    ).toEqual([])
    expect(
      offenders(/^core-wasm\/src\//, (to) => to === 'h3-js').filter(
        (line) => !line.startsWith('core-wasm/src/testing/'),
      ),
    ).toEqual([])
  })

  it('the transport loads no library, and no other part of the core loads the transport', () => {
    const own = /^core-wasm\/src\/(transport|wire)\//
    expect(offenders(/^core-wasm\/src\/transport\//, (to) => !own.test(to) && to !== '@libp2p/interface')).toEqual([])
    expect(offenders(/^core-wasm\/src\/(?!transport\/)/, (to) => to.startsWith('core-wasm/src/transport/'))).toEqual([])
    const loaded = src
      .filter((path) => short(path).startsWith('core-wasm/src/transport/'))
      .filter((path) => /^import (?!type\b).*'@libp2p\//m.test(readFileSync(path, 'utf8')))
    expect(loaded).toEqual([])
  })

  it('client and node import each other only where CONTRIBUTING allows it', () => {
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

  it('salt and central never import each other, and platform, net and membership import no role', () => {
    expect(offenders(/^node\/src\/salt\//, (to) => to.startsWith('node/src/central/'))).toEqual([])
    expect(offenders(/^node\/src\/central\//, (to) => to.startsWith('node/src/salt/'))).toEqual([])
    expect(offenders(/^node\/src\/relay\//, (to) => /^node\/src\/(salt|central|admin|cli)\//.test(to))).toEqual([])
    // The roles of the spread know no other role, and commands hang them on a node.
    expect(
      offenders(/^node\/src\/spread\//, (to) => /^node\/src\/(?!(platform|net|membership|spread)\/)/.test(to)),
    ).toEqual([])
    const users = /^node\/src\/(?!(spread|cli|local|testing)\/)/
    expect(offenders(users, (to) => to.startsWith('node/src/spread/'))).toEqual([])
    // A relay knows nothing of the other roles, and only the start of a salt node knows the relay.
    const others = /^node\/src\/(?!relay\/|salt\/open-node\.ts)/
    expect(offenders(others, (to) => to.startsWith('node/src/relay/'))).toEqual([])
    expect(offenders(/^node\/src\/platform\//, (to) => /^node\/src\/(?!platform\/)/.test(to))).toEqual([])
    expect(offenders(/^node\/src\/net\//, (to) => /^node\/src\/(?!(platform|net)\/)/.test(to))).toEqual([])
    expect(offenders(/^node\/src\/membership\//, (to) => /^node\/src\/(salt|central|admin|cli)\//.test(to))).toEqual([])
  })

  it('no imports form a circle, type-only imports included', () => {
    // The pages and the tests too.
    const files = sources.map(short)
    expect(circles(files, (file) => imports.filter(({ from }) => from === file).map(({ to }) => to))).toEqual([])
  })

  it('no sibling rooms import each other in a circle', () => {
    const parents = new Set(src.flatMap((path) => ancestorsOf(short(path))))
    for (const parent of parents) {
      const room = (file: string) => (file.startsWith(`${parent}/`) ? file.slice(parent.length + 1).split('/') : [])
      const arrows = imports
        .map(({ from, to }) => [room(from), room(to)] as const)
        .filter(([from, to]) => from.length > 1 && to.length > 1 && from[0] !== to[0])
      const rooms = [...new Set(arrows.flatMap(([from, to]) => [from[0]!, to[0]!]))]
      const importedBy = (name: string) => arrows.filter(([from]) => from[0] === name).map(([, to]) => to[0]!)
      expect(circles(rooms, importedBy), parent).toEqual([])
    }
    expect(parents.size).toBeGreaterThan(15)
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
  it('a room holds at most twenty files', () => {
    const files = new Map<string, number>()
    for (const room of src.map((path) => dirname(short(path)))) files.set(room, (files.get(room) ?? 0) + 1)
    expect(files.size).toBeGreaterThan(30)
    expect([...files].filter(([, count]) => count > FILES_PER_ROOM_MAX)).toEqual([])
  })
})

describe('the words', () => {
  // One word, one thing: only these folders may declare a name with this word in it.
  const HOMES: readonly [word: RegExp, homes: RegExp][] = [
    [/verdict/i, /^client\/(src\/(exposures|tracer)|app)/],
    [/exposure/i, /^(client\/(src\/(exposures|tracer|events)|app)|core-wasm\/src\/wire\/errors)/],
    [
      /sealed/i,
      /^(core-wasm\/src\/(seal|wire)|client\/src\/(storage|device)|node\/src\/(cli\/salt|central\/sealed))\//,
    ],
    [/door|desk|crumb|heldBack|rosterBook|connectionBook|\bmates?\b|shardMate/i, /^$/],
  ]

  it('a word of the vocabulary is declared only in the folders that own its meaning', () => {
    const strays = parsed.flatMap(({ path, declared }) =>
      HOMES.filter(([, homes]) => !homes.test(path)).flatMap(([word]) =>
        declared.filter((name) => word.test(name)).map((name) => `${path}: ${name}`),
      ),
    )
    expect(strays).toEqual([])
  })

  it('no two files export one name', () => {
    const homes = new Map<string, string[]>()
    for (const { path, exported } of parsed) {
      for (const name of exported) homes.set(name, [...(homes.get(name) ?? []), path])
    }
    const twice = [...homes].filter(([name, paths]) => paths.length > 1 && !VARIANTS.includes(name))
    expect(twice).toEqual([])
  })

  it('every export has a user', () => {
    const texts = [...sources, ...walk(join(root, 'scripts'))].map((path) => [short(path), read(short(path))] as const)
    const words = new Map(texts.map(([path, text]) => [path, new Set(stripComments(text).match(/[\w$]+/g))]))
    const idle = parsed.flatMap(({ path, exported }) =>
      exported
        .filter((name) => ![...words].some(([other, own]) => other !== path && own.has(name)))
        .map((name) => `${path}: ${name}`),
    )
    expect(idle.filter((item) => !/(\.config|index)\.ts: /.test(item))).toEqual([])
  })
})

describe('the texts', () => {
  const prose = [...sources, ...walk(join(root, 'scripts')).filter((path) => path.endsWith('.js'))]
    .map(short)
    .filter((path) => !path.startsWith('node/test/tidy') && !path.endsWith('assembly/tables.ts'))
    .map((path) => toSource(path))

  it('every comment keeps to the rules of CONTRIBUTING "How we write"', () => {
    const breaches = prose.flatMap(({ path, comments }) =>
      comments.flatMap(({ text, line, lines, isHeader }) =>
        commentToBreaches(text, lines, isHeader).map((breach) => `${path}:${line} ${breach}`),
      ),
    )
    expect(breaches).toEqual([])
  })

  it('every test title is a sentence that can be read alone', () => {
    const titles = prose.flatMap((source) => source.titles.map((title) => ({ path: source.path, ...title })))
    expect(titles.filter(({ kind }) => kind === 'test').length).toBeGreaterThan(1_000)
    const breaches = titles.flatMap(({ path, text, line, kind }) =>
      titleToBreaches(text, kind).map((breach) => `${path}:${line} ${breach}: ${text}`),
    )
    expect(breaches).toEqual([])
  })

  it('every source file opens with a header', () => {
    const bare = parsed.filter(({ comments }) => comments[0]?.isHeader !== true).map(({ path }) => path)
    expect(bare).toEqual([])
  })
})

describe('the functions', () => {
  it(`a function has at most ${FUNCTION_LINES_MAX} lines, apart from a list that only shrinks`, () => {
    const long = parsed.flatMap(({ path, functions }) =>
      functions
        .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
        .map(({ name, lines }) => ({ name: `${path}: ${name}`, lines })),
    )
    const allowed = new Map(Object.entries(LONG_FUNCTIONS))
    expect(long.filter(({ name, lines }) => lines > (allowed.get(name) ?? 0))).toEqual([])
    // An entry that is shorter now leaves the list, or its number shrinks with it.
    const gone = [...allowed.keys()].filter((name) => !long.some((item) => item.name === name))
    expect(gone).toEqual([])
  })
})

describe('the dependencies', () => {
  it('every dependency is imported, because an unused one is only something to attack', () => {
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
    /^(core-wasm\/src\/clock\.ts|node\/src\/(net|cli)\/.*|node\/src\/local\/local-federation\.ts|node\/src\/admin\/page\/script\.ts|client\/src\/device\/open-device\.ts)$/
  const grep = (pattern: RegExp, except: RegExp) =>
    src
      .filter((path) => !except.test(short(path)) && !short(path).includes('/assembly/'))
      .filter((path) => pattern.test(stripComments(readFileSync(path, 'utf8'))))
      .map(short)

  it('sources read the clock, wait and draw random bytes only at their edges', () => {
    expect(grep(/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bsetTimeout\(|\bsetInterval\(/, EDGES)).toEqual([])
    expect(grep(/\bMath\.random\(/, /^$/)).toEqual([])
  })

  it('sources have no `any` and write to the terminal in one file', () => {
    expect(grep(/(:|<|\bas) any\b/, /^$/)).toEqual([])
    expect(
      grep(/\bconsole\.|\bprocess\.std(out|err)\b/, /^node\/(src\/cli\/terminal\/output|attack\/main)\.ts$/),
    ).toEqual([])
  })

  it('every source file is reachable from an entry', () => {
    const entries = [
      ...ROOMS.flatMap((room) => {
        const { exports = {} } = JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8'))
        return Object.values(exports as Record<string, string | { source: string }>)
          .filter((target) => typeof target !== 'string')
          .map(({ source }) => short(join(root, room, source)))
      }),
      'node/src/cli/main.ts',
      'node/attack/main.ts',
      'core-wasm/assembly/index.ts',
      'core-wasm/assembly/sorter.ts',
      'core-wasm/assembly/msm/index.ts',
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

  it('no sentence of a document opens with a word that makes the reader wait for its subject', () => {
    expect(documentToBreaches('Whoever holds it may act.\n\n```\nWho is it.\n```')).toHaveLength(1)
    const breaches = documents.flatMap((path) =>
      documentToBreaches(readFileSync(path, 'utf8')).map((breach) => `${short(path)} ${breach}`),
    )
    expect(breaches).toEqual([])
  })

  it('documents link to files that exist', () => {
    const dead = documents.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)]
        .map((match) => match[1]!)
        .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(resolve(dirname(path), link)))
        .map((link) => `${short(path)} → ${link}`),
    )
    expect(dead).toEqual([])
  })

  it('documents name test files that exist', () => {
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

  it('every error code has a line in the README and a test that produces it', () => {
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
  it('the demo manifest pins the builds of the core in this checkout, and has threshold salting with tokens', async () => {
    const { CORE_SHA256 } = await import('@geotrace/core-wasm')
    const { parseManifest } = await import('@geotrace/core-wasm/wire')
    const manifest = parseManifest(readFileSync(join(root, 'federation.json'), 'utf8'))
    expect(manifest.core).toEqual(CORE_SHA256)
    expect(manifest.parameters).toMatchObject({ salting: 'threshold', tokens: { perDay: 4 } })
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
