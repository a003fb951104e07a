/** Lists the faults in the outcome of a fuzzed command line. node/README.md "Exit codes" has the rules. Pure. */
import type { Drawn } from './draw.ts'
import type { Outcome } from './machine.ts'

const MESSAGE_MAX = 620
/** `TypeError: x` or `    at Object.<anonymous> (file:12:3)`. */
const TRACE = /^\s+at \S.*:\d+|\b(?:Type|Range|Reference|Syntax)Error\b|node:internal/m
const NONSENSE = /\bundefined\b|\[object |\bNaN\b|\bINTERNAL\b|a fault of Geo Trace/

/** The machine refuses, and the words of the command line are right. */
const MACHINE = /the disk is full|the disk is read-only|has no right to it/

/** Commands that find problems without failing themselves: they print findings, and end with 1. */
const FINDERS = /^(central )?doctor\b/
/** A peer keeps what it had written before it failed. */
const KEEPERS = /^(salt|central) run\b/

export function judge({ argv, expect }: Drawn, outcome: Outcome): string[] {
  const { code, signalled, stdout, stderr, stray, left } = outcome
  const line = argv.filter((word) => !word.startsWith('-')).join(' ')
  const isJson = argv.includes('--json')
  const isDebug = argv.includes('debug')
  const problems: string[] = []
  const check = (isRight: boolean, problem: string): void => {
    if (!isRight) problems.push(problem)
  }
  check(stray.length === 0, `an error that nothing awaits: ${stray[0]}`)
  if (code !== 0 && code !== 1 && code !== 2) return [...problems, `the process is ${code}`]
  check(isDebug || !TRACE.test(`${stdout}\n${stderr}`), 'a trace')
  if (expect === 'usage') check(code === 2 || /--help|--version/.test(argv.join(' ')), `exit code ${code}, expected 2`)
  check(code !== 2 || !MACHINE.test(`${stdout}\n${stderr}`), 'exit code 2 for a fault of the machine')
  if (code === 0 && isJson && !signalled && !/--help|--version/.test(argv.join(' ')))
    check(isOneObject(stdout), `expected one JSON object, got ${stdout.slice(0, 200)}`)
  if (code === 0 || signalled) return problems
  check(KEEPERS.test(line) || left.length === 0, `left behind: ${left.join(' ')}`)
  if (code === 1 && FINDERS.test(line) && /problem|"findings"/.test(stdout)) return problems
  return [...problems, ...(isJson ? judgeJson(code, stdout) : judgeText(stdout, stderr, isDebug))]
}

function isOneObject(stdout: string): boolean {
  try {
    return typeof JSON.parse(stdout) === 'object'
  } catch {
    return false
  }
}

function judgeJson(code: number, stdout: string): string[] {
  let error: { code?: unknown; message?: unknown; next?: unknown; exit?: unknown } | undefined
  try {
    error = (JSON.parse(stdout) as { error?: typeof error }).error
  } catch {
    return [`expected one JSON object, got ${stdout.slice(0, 200)}`]
  }
  const { message, next, exit } = error ?? {}
  if (exit !== code) return [`the JSON says exit ${exit}`]
  return typeof message === 'string' && typeof next === 'string' ? judgeSentence(message, next) : ['no sentence']
}

function judgeText(stdout: string, stderr: string, isDebug: boolean): string[] {
  const lines = stderr.split('\n')
  const heads = lines.filter((line) => line.startsWith('geotrace: '))
  const at = lines.indexOf(heads[0] ?? '')
  const next = lines[at + 1] ?? ''
  const after = lines.slice(at + 2)
  const problems: string[] = []
  if (heads.length !== 1) return [`expected one sentence, got ${heads.length}: ${stderr.slice(0, 300)}`]
  if (!next.startsWith('  → ')) problems.push('no next step')
  if (stdout !== '') problems.push(`a result beside the failure: ${stdout.slice(0, 100)}`)
  if (!isDebug && after.some((line) => !line.startsWith('    '))) problems.push('lines after the next step')
  return [...problems, ...judgeSentence(heads[0]!.slice('geotrace: '.length), next.slice(4))]
}

function judgeSentence(message: string, next: string): string[] {
  const problems: string[] = []
  if (message.length > MESSAGE_MAX || message.length < 8) problems.push(`a sentence of ${message.length} characters`)
  if (/\p{Cc}/u.test(message)) problems.push('a control character')
  if (next.trim().length < 4) problems.push('an empty next step')
  if (NONSENSE.test(`${message} ${next}`)) problems.push('words of a program')
  return problems.map((problem) => `${problem}: ${message.slice(0, 300)} → ${next.slice(0, 200)}`)
}
