/**
 * Prints the failure of a command, and holds the table of exit codes. node/README.md "Exit codes".
 * Every failure is one sentence and one next step. A fault of this program is one too; `--log-level debug` adds the trace.
 */
import { inspect } from 'node:util'
import { type ErrorCode, isFederationError } from '@geotrace/core-wasm/wire'
import { nextStep } from './next-steps.ts'
import type { Output } from './output.ts'
import { systemErrorIn, systemErrorToFailure } from './system-error.ts'

/** 0: done. 1: the machine, the network or a peer refused. 2: the command line, or a file that it names, is wrong. */
type FailureExit = 1 | 2

interface Failure {
  /** For programs: a code of README "Errors", FILE_UNUSABLE, or INTERNAL for a fault of this program. */
  code: string
  message: string
  next: string
  exit: FailureExit
}

/** The codes of a wrong command line. All other codes end a command with exit code 1. */
const USAGE: ReadonlySet<string> = new Set<ErrorCode>([
  'ADDRESS_NOT_LOOPBACK',
  'BACKUP_UNREADABLE',
  'COMMAND_INVALID',
  'IMPORT_INVALID',
  'MANIFEST_INVALID',
])
/** Some lines of a terminal. */
const MESSAGE_MAX = 600
const NEXT_MAX = 1_200
/** Control characters other than the line break between two next steps. */
const UNPRINTABLE = /(?!\n)\p{Cc}/gu
const TRACE = 'run it again with `--log-level debug` and report the trace as a fault of Geo Trace'

/** Prints a failure of a command, named by its first word, and returns the exit code. */
export function reportFailure(error: unknown, isDebug: boolean, out: Output, command?: string): FailureExit {
  const failure = readable(toFailure(error, command))
  const { message, next, exit } = failure
  out.json({ error: isDebug ? { ...failure, trace: inspect(error) } : failure })
  out.note(`geotrace: ${message}`)
  next.split('\n').forEach((line, i) => {
    out.note(`  ${i === 0 ? '→' : ' '} ${line}`)
  })
  if (isDebug) out.note(inspect(error))
  return exit
}

export function toFailure(error: unknown, command?: string): Failure {
  if (isFederationError(error)) {
    const { code, message, data } = error
    const own = (data as { next?: string } | undefined)?.next
    const next = own ?? nextStep(code, command) ?? TRACE
    return { code, message: withoutNext(message, own), next, exit: USAGE.has(code) ? 2 : 1 }
  }
  const system = systemErrorIn(error)
  if (system !== undefined) return systemErrorToFailure(system)
  const what = error instanceof Error ? firstLine(error.message) || error.name : String(error)
  return { code: 'INTERNAL', message: `this is a fault of Geo Trace: ${what}`, next: TRACE, exit: 1 }
}

/** A value in a message can be long and can hold any character, also those that a terminal obeys. */
function readable(failure: Failure): Failure {
  const { message, next } = failure
  return { ...failure, message: printable(message.replaceAll('\n', ' '), MESSAGE_MAX), next: printable(next, NEXT_MAX) }
}

function printable(text: string, max: number): string {
  const shown = text.replace(UNPRINTABLE, '\ufffd')
  const half = max / 2
  return shown.length <= max ? shown : `${shown.slice(0, half)} … ${shown.slice(-half)}`
}

/** The next step stands on a line of its own, so the sentence loses it. */
function withoutNext(message: string, next: string | undefined): string {
  return next !== undefined && message.endsWith(`; ${next}`) ? message.slice(0, -next.length - 2) : message
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
