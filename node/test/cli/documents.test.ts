import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { geotrace } from '../../src/cli/main.ts'
import { wholeProgram } from './captured.ts'
import { captured } from './captured-output.mjs'

/** Compares the commands in the documents and in the service files with the command line itself. */
const read = (name: string) => readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8')
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'PRIVACY.md', 'SECURITY.md', 'node/README.md', 'node/CENTRAL.md'],
  ...['client/README.md', 'core-wasm/README.md'],
]
/** Values for the words that stand for a value. */
const MEANT: Readonly<Record<string, string>> = {
  ...{ PEER: '0'.repeat(64), TIME: '2026-11-21T10:30:00Z', K: '2', ID: 'anna', '--host …': 'salt.example.org' },
  ...{ '--core …': `${'0'.repeat(64)},${'1'.repeat(64)}`, '--shards …': '5', '--replicas …': '3' },
  '--apps …': 'https://app.example.org',
  // The options read a file and check a key, so the other value that they take stands here.
  ...{ 'release.json': 'none', '4,KEY,KEY': 'none' },
}
const FILES = ['README.md', 'deploy/geotrace-salt.service', 'deploy/Containerfile', 'deploy/org.geotrace.salt.plist']

interface Written {
  where: string
  line: string
  /** Part of a sentence, which may name a command without its arguments. */
  isMention: boolean
}

/** The lines of the code blocks and the code inside sentences, without comments. */
function codeIn(name: string): Written[] {
  const blocks = readFileSync(join(ROOT, name), 'utf8').split(/^```.*$/m)
  return blocks.flatMap((text, i) => {
    if (i % 2 === 1) return text.split('\n').map((line) => ({ where: name, line, isMention: false }))
    const indented = [...text.matchAll(/^ {4}(\S.*)$/gm)].map(([, line]) => ({
      where: name,
      line: line!,
      isMention: false,
    }))
    const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, line]) => ({ where: name, line: line!, isMention: true }))
    return [...indented, ...spans]
  })
}

/** The commands of a line that begin with `start`, as words; a comment, a pipe or a redirection ends a command. */
function commandsIn(line: string, start: RegExp): string[][] {
  return line
    .replace(/\s#\s.*$/, '')
    .split(/&&|\||;/)
    .map((command) => command.trim().replace(/^(sudo |npx |\w+=\S+ )+/, ''))
    .filter((command) => start.test(command))
    .map((command) => command.replace(start, '').replace(/\s>.*$/, ''))
    .map((command) => [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? ''))
}

function toMeant(words: readonly string[]): string[] {
  const bare = words.map((word) => word.replace(/^\[|\]$/g, '')).filter((word) => word !== '…')
  const isLeft = (word: string | undefined): boolean => words[words.indexOf(word!) + 1] === '…'
  return bare.flatMap((word) => (isLeft(word) ? [word, MEANT[`${word} …`] ?? word] : [MEANT[word] ?? word]))
}

/** `npm start` takes this option itself, and starts the database before the demo. */
function withoutStore(words: readonly string[]): string[] {
  return words.filter((word, i) => word !== '--store' && words[i - 1] !== '--store')
}

it('every command in the documents is one that the command line takes', async () => {
  const wrong: string[] = []
  let seen = 0
  for (const { where, line, isMention } of DOCUMENTS.flatMap(codeIn)) {
    for (const words of [
      ...commandsIn(line, /^geotrace(?= |$)/),
      ...commandsIn(line, /^npm start(?: --)?(?= |$)/).map((more) => ['demo', ...withoutStore(more)]),
    ]) {
      seen++
      const program = geotrace(captured().out)
      // After the hook that gives a command its options and actions.
      program.hook('preSubcommand', (_, command) => doNothing(command))
      try {
        await program.parseAsync(toMeant(words), { from: 'user' })
      } catch (error) {
        const { message } = error as Error
        const isIncomplete = /missing required argument|argument missing|required option|expected a command/.test(
          message,
        )
        if (!isMention || !isIncomplete) wrong.push(`${where}: geotrace ${words.join(' ')}: ${message}`)
      }
    }
  }
  expect(wrong).toEqual([])
  expect(seen).toBeGreaterThan(60)
})

function doNothing(command: Command): void {
  if (command.commands.length === 0 || command.name() === 'demo') command.action(() => {})
  for (const child of command.commands) doNothing(child)
}

it('every npm script in the documents exists, and every test that they name', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const packages = ['core-wasm', 'client', 'node']
  const tests = packages.flatMap((name) =>
    readdirSync(join(ROOT, name, 'test'), { recursive: true, encoding: 'utf8' }).map((path) => `${name}/test/${path}`),
  )
  const wrong: string[] = []
  let seen = 0
  for (const { where, line } of DOCUMENTS.flatMap(codeIn)) {
    const check = (name: string, isThere: boolean): void => {
      seen++
      if (!isThere) wrong.push(`${where}: ${line.trim()}: ${name}`)
    }
    for (const [script = '', , wanted] of [
      ...commandsIn(line, /^npm run(?= )/),
      ...commandsIn(line, /^npm (?=test)/),
      ...commandsIn(line, /^npx (?=vitest)|^(?=vitest run)/).map(([, , path]) => ['test', '--', path ?? '']),
    ]) {
      check(script, script in scripts)
      if (script.startsWith('test') && wanted !== undefined && !wanted.startsWith('-'))
        check(
          wanted,
          tests.some((path) => path.includes(wanted)),
        )
      if (script === 'bench' && wanted !== undefined)
        check(wanted, readFileSync(join(ROOT, 'scripts/bench.js'), 'utf8').includes(wanted))
    }
  }
  expect(wrong).toEqual([])
  expect(seen).toBeGreaterThan(40)
})

it('every option in the README and in the service files exists for its command', async () => {
  const program = await wholeProgram()
  const find = (words: readonly string[]): { command: Command; path: string } => {
    let command = program
    const path = ['geotrace']
    for (const word of words) {
      const next = command.commands.find((child) => child.name() === word)
      if (next === undefined) break
      command = next
      path.push(word)
    }
    return { command, path: path.join(' ') }
  }
  const wrong: string[] = []
  let seen = 0
  for (const name of FILES) {
    // The launchd file has one word a line, and the Containerfile wraps commands and quotes words.
    const text = read(name)
      .replace(/<\/?string>\s*/g, ' ')
      .replace(/\\\n#?/g, ' ')
      .replace(/[",[\]]/g, ' ')
    for (const [line] of text.matchAll(
      /(?:geotrace(?:\.js)?|CMD) +(?:salt|status|doctor|codes|central|reports)\b[^\n`|]*/g,
    )) {
      const words = line.split(/\s+/).slice(1)
      const { command, path } = find(words)
      const known = new Set([...program.options, ...command.options].map(({ long }) => long))
      for (const option of line.match(/(?<=\s)--[a-z-]+/g) ?? []) {
        seen++
        if (!known.has(option)) wrong.push(`${name}: ${path} ${option}`)
      }
    }
  }
  expect(wrong).toEqual([])
  expect(seen).toBeGreaterThan(12)
})

it('the README lists every option of `salt run`, also those of every command', async () => {
  const program = await wholeProgram()
  const salt = program.commands.find((command) => command.name() === 'salt')!
  const run = salt.commands.find((command) => command.name() === 'run')!
  const readme = read('README.md')
  const options = [...program.options.filter(({ long }) => long !== '--version'), ...run.options]
  const missing = options.map(({ long }) => long!).filter((long) => !readme.includes(`\`${long}\``))
  expect(missing).toEqual([])
})
