/** Readers of command-line values. Each one throws an error that says which value it expects. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import {
  FederationError,
  type FrozenManifest,
  isFederationError,
  MANIFEST_MAX_BYTES,
  type Manifest,
  parseFrozenManifest,
  parseManifest,
} from '@geotrace/core-wasm/wire'
import { type Command, InvalidArgumentError } from 'commander'
import { invalidCommand } from './invalid-command.ts'
import { readSmallFile } from './small-file.ts'

/** The latest time of JavaScript's Date, so that every number and every date in a command has a calendar date. */
const TIME_MAX_MS = 8.64e15

/** The default directory for the keys and tables of a role. */
export function defaultDir(role: 'salt' | 'central'): string {
  return join(homedir(), '.geotrace', role)
}

/** The `--dir` option for a suggested command; empty for the default directory. */
export function dirOption(dir: string, role: 'salt' | 'central'): string {
  return dir === defaultDir(role) ? '' : ` --dir ${dir}`
}

/** A reader of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
  }
}

export function portNumber(text: string): number {
  return wholeNumber(1, 65_535)(text)
}

/** ISO 8601 → Unix ms. */
export function moment(text: string): number {
  const at = Date.parse(text)
  if (at >= 0 && at <= TIME_MAX_MS) return at
  throw new InvalidArgumentError('Expected a time since 1970 such as 2026-11-21T10:30:00Z.')
}

/** A time that has passed. */
export function pastMoment(text: string): number {
  const at = moment(text)
  if (at > Date.now()) throw new InvalidArgumentError('Expected a time that has passed.')
  return at
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

/** Throws COMMAND_INVALID, MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export function readManifest(path: string): Manifest {
  const text = readManifestText(path)
  try {
    return parseManifest(text)
  } catch (error) {
    if (!isFederationError(error, 'MANIFEST_INVALID') || error.data.path !== 'openings') throw withPath(error, path)
    return invalidCommand(
      `the members of the federation in ${path} have not opened their nonces yet`,
      'run `geotrace federation open`, send the line to your founder, and put the complete federation.json there',
    )
  }
}

/** The same for a manifest whose members may not have opened their nonces yet. */
export function readFrozenManifest(path: string): FrozenManifest {
  const text = readManifestText(path)
  try {
    return parseFrozenManifest(text)
  } catch (error) {
    throw withPath(error, path)
  }
}

/** The parser calls every manifest federation.json. The person named a path. */
function withPath(error: unknown, path: string): unknown {
  if (!isFederationError(error, 'MANIFEST_INVALID')) return error
  return new FederationError(
    'MANIFEST_INVALID',
    error.message.replace(/^federation\.json/, () => path),
    error.data,
    {
      cause: error,
    },
  )
}

/** The bytes of a manifest as text. Throws COMMAND_INVALID when there is no such file, or an error of the system. */
export function readManifestText(path: string): string {
  const text = readSmallFile(path, {
    what: 'federation file',
    maxBytes: MANIFEST_MAX_BYTES,
    next: 'ask your founder or any operator of the federation for federation.json, then put it there or name it with --federation FILE',
  })
  return text.toString('utf8')
}

/** Adds examples to `--help` that can be typed as they are. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    'after',
    `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
  )
}
