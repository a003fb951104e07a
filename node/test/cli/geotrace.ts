/** Runs the built `geotrace` command as a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const BIN = fileURLToPath(new URL('../../bin/geotrace.js', import.meta.url))

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Outcome>
  stderr(): string
}

export function start(...args: string[]): Running {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name]!.on('data', (chunk) => (text[name] += chunk))
  // The "close" event comes after the last output; the "exit" event may come before it.
  const ended = new Promise<Outcome>((resolve) => child.once('close', (code) => resolve({ code, ...text })))
  return { child, ended, stderr: () => text.stderr }
}

export const geotrace = (...args: string[]): Promise<Outcome> => start(...args).ended
