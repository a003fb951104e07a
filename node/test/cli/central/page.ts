/**
 * Takes node/CENTRAL.md literally: runs the lines of its code blocks. The addresses, ports and folders of a test stand in the
 * place of those of the page. A line that runs the central peer becomes a process that goes on.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../captured.ts'
import { BIN, type Running, start } from '../geotrace.ts'

const PAGE = fileURLToPath(new URL('../../../CENTRAL.md', import.meta.url))

export interface Ran {
  readonly line: string
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}
export interface Reader {
  /** Runs the next lines of a section, up to the first one that begins with `last`. Throws when no line does. */
  follow(section: string, last: string): Promise<Ran[]>
  /** The central peer that the last such line started. */
  peer(): Running
  /** The lines of a section that were not run. */
  left(section: string): readonly string[]
}
interface ReaderInit {
  /** The home folder of the newcomer, in which the commands run. */
  readonly home: string
  /** Texts of the page, and those of this test in their place. */
  readonly meant: Readonly<Record<string, string>>
  /** Runs each line in bash, with the built command as a process; otherwise in this process. */
  readonly isWhole: boolean
}

/** The lines of the code blocks below each heading, without comments. A block that names a language has no commands. */
function pageSections(): Map<string, string[]> {
  const sections = readFileSync(PAGE, 'utf8').split(/^###? /m)
  return new Map(
    sections.map((text) => {
      const blocks = text
        .split(/^```/m)
        .flatMap((block, i) => (i % 2 === 1 && block.startsWith('\n') ? block.split('\n') : []))
      const lines = blocks.map((line) => line.replace(/(^|\s+)#\s.*$/, '').trim()).filter((line) => line !== '')
      return [text.slice(0, text.indexOf('\n')), lines]
    }),
  )
}

export function pageReader({ home, meant, isWhole }: ReaderInit): Reader {
  const sections = pageSections()
  let peer: Running | undefined
  const toMeant = (line: string): string =>
    Object.entries({ ...meant, '~': home }).reduce((text, [from, to]) => text.replaceAll(from, to), line)
  const perform = async (line: string): Promise<Ran> => {
    const isOurs = line.startsWith('npx geotrace ')
    const words = toWords(toMeant(line)).slice(2)
    if (line.startsWith('npx geotrace central run ')) {
      peer = start(...words)
      return { line, code: 0, stdout: '', stderr: '' }
    }
    return { line, ...(isOurs && !isWhole ? await here(words, home) : await inBash(toMeant(line), home)) }
  }
  const linesOf = (section: string): string[] => {
    const lines = sections.get(section)
    if (lines === undefined) throw new Error(`node/CENTRAL.md has no section "${section}"`)
    return lines
  }
  return {
    async follow(section, last) {
      const lines = linesOf(section)
      const end = lines.findIndex((line) => line.startsWith(last))
      if (end < 0) throw new Error(`"${section}" of node/CENTRAL.md has no further line that begins with: ${last}`)
      const ran: Ran[] = []
      for (const line of lines.splice(0, end + 1)) ran.push(await perform(line))
      return ran
    },
    peer() {
      if (peer === undefined) throw new Error('no line has started the central peer')
      return peer
    },
    left: linesOf,
  }
}

function toWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!)
}

/** A command in this process; `> file` names the file of its output. */
async function here(words: readonly string[], cwd: string): Promise<Omit<Ran, 'line'>> {
  const at = words.indexOf('>')
  const { code, stdout, stderr } = await run(...(at < 0 ? words : words.slice(0, at)))
  const text = stdout.join('\n')
  if (at >= 0) writeFileSync(join(cwd, words[at + 1]!), text)
  return { code, stdout: at < 0 ? text : '', stderr: stderr.join('\n') }
}

/** `npx geotrace` is this build. */
function inBash(line: string, home: string): Promise<Omit<Ran, 'line'>> {
  const bin = join(home, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${BIN}' "$@"\n`, { mode: 0o755 })
  const env = { ...process.env, HOME: home, PATH: `${bin}:${process.env.PATH}` }
  return new Promise((resolve) => {
    execFile('bash', ['-c', line], { cwd: home, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}
