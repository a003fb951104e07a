import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { wholeProgram } from './captured.ts'

/** Compares the commands in the README and in the service files with the command line itself. */
const read = (name: string) => readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8')
const FILES = ['README.md', 'deploy/geotrace-salt.service', 'deploy/Containerfile', 'deploy/org.geotrace.salt.plist']

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
