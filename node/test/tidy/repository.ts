/** The files of this repository as the tidy test reads them: sources, their imports, declarations and comments. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'rolldown/utils'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..')
export const ROOMS = ['core-wasm', 'node', 'client']
const MADE = ['node_modules', 'dist', 'build', 'generated', 'coverage']

export function walk(dir: string): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name)
    if (MADE.includes(name)) return []
    return statSync(path).isDirectory() ? walk(path) : [path]
  })
}

/** A path from the repository's root, with slashes. */
export function short(path: string): string {
  return relative(root, path).replaceAll('\\', '/')
}

export const read = (path: string): string => readFileSync(resolve(root, path), 'utf8')

export interface Comment {
  /** Without the marks, lines joined by `\n`. */
  text: string
  line: number
  lines: number
  /** The first comment of a file, before any code but imports. */
  isHeader: boolean
}
export interface Title {
  text: string
  line: number
  kind: 'test' | 'group'
}
export interface Function {
  name: string
  line: number
  lines: number
}
export interface Source {
  path: string
  comments: Comment[]
  titles: Title[]
  functions: Function[]
  /** Names that this file declares and exports; re-exports are not among them. */
  exported: string[]
  /** Names declared at the top level. */
  declared: string[]
}

type Node = { type: string; start: number; end: number } & Record<string, unknown>

/** Parses a TypeScript or JavaScript file. */
export function toSource(path: string, text = read(path)): Source {
  const { program, comments } = parseSync(path, text)
  const lineAt = lineFinder(text)
  const source: Source = { path, comments: [], titles: [], functions: [], exported: [], declared: [] }
  const nodes = program.body as unknown as Node[]
  const firstCode = nodes.find(({ type }) => type !== 'ImportDeclaration')?.start ?? text.length
  source.comments = joinLines(comments, text).map(({ start, end, value }, i) => ({
    text: value,
    line: lineAt(start),
    lines: lineAt(end) - lineAt(start) + 1,
    isHeader: i === 0 && start < firstCode,
  }))
  for (const node of nodes) addDeclarations(source, node)
  visit(nodes, (node, name) => {
    const title = nodeToTitle(node)
    if (title !== undefined) source.titles.push({ ...title, line: lineAt(node.start) })
    if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) {
      source.functions.push({ name, line: lineAt(node.start), lines: lineAt(node.end) - lineAt(node.start) + 1 })
    }
  })
  return source
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0]
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1)
  return (offset) => {
    let [low, high] = [0, starts.length]
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}

/** Comments without their marks; line comments on consecutive lines are one comment. */
function joinLines(comments: readonly { type: string; value: string; start: number; end: number }[], text: string) {
  const joined: { start: number; end: number; value: string; isLine: boolean }[] = []
  for (const { type, value, start, end } of comments) {
    if (value.startsWith('!')) continue
    const isLine = type === 'Line'
    const clean = isLine
      ? value.trim()
      : value
          .replace(/^\*/, '')
          .replaceAll(/^\s*\* ?/gm, '')
          .trim()
    const last = joined.at(-1)
    if (isLine && last?.isLine && /^[ \t]*\r?\n[ \t]*$/.test(text.slice(last.end, start))) {
      last.end = end
      last.value += `\n${clean}`
    } else joined.push({ start, end, value: clean, isLine })
  }
  return joined
}

function addDeclarations(source: Source, node: Node): void {
  const isExport = node.type === 'ExportNamedDeclaration' || node.type === 'ExportDefaultDeclaration'
  const declaration = (isExport ? node.declaration : node) as Node | null
  const names: string[] = []
  const id = declaration?.id as { name?: string } | null | undefined
  if (id?.name !== undefined) names.push(id.name)
  for (const { id } of (declaration?.declarations as { id: { name?: string } }[] | undefined) ?? []) {
    if (id.name !== undefined) names.push(id.name)
  }
  source.declared.push(...names)
  if (isExport) source.exported.push(...names)
}

function visit(nodes: readonly unknown[], enter: (node: Node, name: string) => void, name = ''): void {
  for (const node of nodes) {
    if (Array.isArray(node)) visit(node, enter, name)
    else if (typeof node === 'object' && node !== null && 'type' in node) {
      const own = nodeToName(node as Node) ?? name
      enter(node as Node, own)
      visit(
        Object.entries(node)
          .filter(([key, value]) => key !== 'type' && typeof value === 'object')
          .map(([, value]) => value),
        enter,
        own,
      )
    }
  }
}

function nodeToName(node: Node): string | undefined {
  const id = (node.id ?? node.key) as { name?: string } | null | undefined
  return typeof id?.name === 'string' ? id.name : undefined
}

/** The title of `it('…')`, `it.each(…)('…')`, `describe('…')`. */
function nodeToTitle(node: Node): Omit<Title, 'line'> | undefined {
  if (node.type !== 'CallExpression') return undefined
  let callee = node.callee as Node
  while (callee.type === 'CallExpression' || callee.type === 'MemberExpression') {
    callee = (callee.type === 'CallExpression' ? callee.callee : callee.object) as Node
  }
  const name = (callee as { name?: string }).name ?? ''
  if (!/^(it|test|describe)$/.test(name)) return undefined
  const first = (node.arguments as Node[])[0] as {
    type: string
    value?: unknown
    quasis?: { value: { raw: string } }[]
  }
  const text = typeof first?.value === 'string' ? first.value : first?.quasis?.map(({ value }) => value.raw).join('…')
  return text === undefined ? undefined : { text, kind: name === 'describe' ? 'group' : 'test' }
}

export interface Import {
  from: string
  /** A repository path for a relative import, otherwise the bare specifier. */
  to: string
}
const IMPORT = /^(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm

export function importsOf(path: string): Import[] {
  return [...stripComments(readFileSync(path, 'utf8')).matchAll(IMPORT)]
    .map((match) => (match[1] ?? match[2] ?? match[3])!)
    .map((to) => ({ from: short(path), to: to.startsWith('.') ? short(resolve(dirname(path), to)) : to }))
}

export function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
