/** Readers of command-line values. Each one throws an error that says which value it expects. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { FederationError, type Manifest, parseManifest } from '@geotrace/core-wasm/wire'
import { type Command, InvalidArgumentError } from 'commander'

/** The default directory for the keys and tables of a role. */
export function defaultDir(role: 'salt' | 'central'): string {
  return join(homedir(), '.geotrace', role)
}

/** The `--dir` option for a suggested command; empty for the default directory. */
export function dirOption(dir: string, role: 'salt' | 'central'): string {
  return dir === defaultDir(role) ? '' : ` --dir ${dir}`
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text) || text === '0')
    throw new InvalidArgumentError('Expected a whole number from 1 to 999999999.')
  return Number(text)
}

export function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port > 65_535) throw new InvalidArgumentError('Expected a port from 1 to 65535.')
  return port
}

/** ISO 8601 → Unix ms. */
export function moment(text: string): number {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new InvalidArgumentError('Expected a time such as 2026-11-21T10:30:00Z.')
  return at
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

/** Throws COMMAND_INVALID, MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export function readManifest(path: string): Manifest {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return invalidCommand(
      `no federation file at ${path}; ask your founder or any operator of the federation for federation.json, then put it there or name it with --federation FILE`,
    )
  }
  return parseManifest(text)
}

/** Adds examples to `--help` that can be typed as they are. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  )
}

export function invalidCommand(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
