import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ErrorCode, FederationError } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { reportFailure, toFailure } from '../../../src/cli/terminal/failure.ts'
import { invalidCommand } from '../../../src/cli/terminal/invalid-command.ts'
import { readFrozenManifest, readManifest } from '../../../src/cli/terminal/options.ts'
import { captured } from '../captured-output.mjs'

function thrownBy(task: () => unknown): unknown {
  try {
    task()
  } catch (error) {
    return error
  }
  throw new Error('the task threw nothing')
}

describe('a failure of a command', () => {
  it('a manifest that is wrong is named by the path that the person gave', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'geotrace-failure-'))
    const file = join(dir, 'other$&.json')
    writeFileSync(file, '{"version":1}')
    for (const read of [readManifest, readFrozenManifest]) {
      const failure = toFailure(thrownBy(() => read(file)))
      expect(failure).toMatchObject({ code: 'MANIFEST_INVALID', exit: 2 })
      expect(failure.message.startsWith(`${file}: `)).toBe(true)
    }
    rmSync(dir, { recursive: true })
  })

  it('a wrong command line ends with exit code 2, and the next step stands on its own line', () => {
    const error = thrownBy(() => invalidCommand('expected a port, got x', 'give a number'))
    expect(toFailure(error)).toEqual({
      code: 'COMMAND_INVALID',
      message: 'expected a port, got x',
      next: 'give a number',
      exit: 2,
    })
    const { out, stderr } = captured()
    expect(reportFailure(error, false, out)).toBe(2)
    expect(stderr).toEqual(['geotrace: expected a port, got x', '  → give a number'])
  })

  it('each code of README.md "Errors" ends with the exit code of node/README.md, and those of commands have next steps', () => {
    const read = (name: string): string => readFileSync(new URL(`../../../../${name}`, import.meta.url), 'utf8')
    const errors = read('README.md').split('\n## Errors')[1]!.split('\n## ')[0]!
    const codes = [...errors.matchAll(/^\| ([A-Z_]+) \|/gm)].map(([, code]) => code as ErrorCode)
    expect(codes.length).toBeGreaterThan(45)
    const chapter = read('node/README.md').split('### Exit codes')[1]!
    const usage = /Failures with the codes ([\s\S]*?) end with 2/.exec(chapter)![1]!.split(/,\s+|\s+and\s+/)
    const exits = codes.map((code) => toFailure(new FederationError(code, 'the reason', {} as never)))
    expect(exits.filter(({ exit }) => exit === 2).map(({ code }) => code)).toEqual(usage)
    // Only devices, and callers that pass wrong values, meet the codes without a next step of their own.
    const callers = ['BATCH_REFUSED', 'BLOCK_TOO_NEW', 'BLOCK_TOO_OLD', 'CONSENT_MISSING', 'RISK_BOUND', 'SEAL_UNKNOWN']
    callers.push('STORAGE_LOST', 'SUITE_UNKNOWN', 'SYNC_CONFLICT', 'TOKEN_REFUSED', 'TOO_FEW')
    callers.push('TOO_MANY_ATTEMPTS', 'TOO_MANY_SALTS')
    // These errors bring their next step along.
    const bringers = ['FILE_EXPOSED', 'NODE_NOT_RUNNING', 'PORT_TAKEN']
    const bare = exits.filter(({ next }) => next.includes('a fault of Geo Trace')).map(({ code }) => code)
    expect(bare.sort()).toEqual([...callers, ...bringers].sort())
  })

  it('a refusal of a peer or of the machine ends with exit code 1, and a wrong file with exit code 2', () => {
    const exits = [
      new FederationError('CODE_SPENT', 'spent'),
      new FederationError('REPORT_UNKNOWN', 'no report 9', { report: 9 }),
      new FederationError('PORT_TAKEN', 'taken; choose another', { port: 1, next: 'choose another' }),
      new FederationError('MANIFEST_INVALID', 'federation.json: bad', { path: '', reason: 'bad' }),
      new FederationError('IMPORT_INVALID', 'line 1: bad', { line: 1, reason: 'bad' }),
    ].map((error) => toFailure(error))
    expect(exits.map(({ exit }) => exit)).toEqual([1, 1, 1, 2, 2])
    for (const { next } of exits) expect(next).not.toBe('')
  })

  it('the next step for a damaged or missing store of the central peer destroys nothing', () => {
    const errors = [
      new FederationError('STORAGE_CORRUPT', 'the store is damaged (meta)', { what: 'meta' }),
      new FederationError('ROSTER_INVALID', 'a roster breaks a rule', { reason: 'votes' }),
      new FederationError('STORE_MISSING', 'the store is missing', { dir: 'store' }),
    ]
    const steps = errors.map((error) => toFailure(error, 'central').next)
    for (const next of steps) {
      expect(next).toContain('the last backup of the store with `geotrace central restore`')
      // It brings back keys only, and a peer without its store would begin with an empty one.
      expect(next).not.toContain('salt restore')
    }
    expect(steps.map((next) => next.includes('--new-store'))).toEqual([false, false, true])
    expect(toFailure(errors[0], 'salt').next).toContain('geotrace salt restore')
  })

  it('an error of the operating system is one sentence with the path, and ends with 2 for a path that cannot exist', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'geotrace-failure-'))
    const file = join(dir, 'file')
    writeFileSync(file, '')
    const missing = toFailure(thrownBy(() => readFileSync(join(dir, 'none'))))
    expect(missing).toMatchObject({ code: 'FILE_UNUSABLE', exit: 2 })
    expect(missing.message).toContain(join(dir, 'none'))
    expect(toFailure(thrownBy(() => readFileSync(join(file, 'none')))).message).toMatch(/a part of the path is a file/)
    expect(toFailure(thrownBy(() => readFileSync(dir))).message).toMatch(/expected a file, got a folder/)
    expect(toFailure(thrownBy(() => readFileSync('\0'))).exit).toBe(2)
    const full = Object.assign(new Error('ENOSPC: x'), { code: 'ENOSPC', errno: -28, syscall: 'write', path: file })
    expect(toFailure(full)).toMatchObject({
      code: 'STORAGE_FULL',
      exit: 1,
      message: `cannot write to ${file}: the disk is full`,
    })
    // The database wraps the error of the disk in its own.
    const level = Object.assign(new Error('IO error: /x/LOCK: No space left on device'), { code: 'LEVEL_IO_ERROR' })
    const closed = Object.assign(new Error('Database failed to open', { cause: level }), {
      code: 'LEVEL_DATABASE_NOT_OPEN',
    })
    expect(toFailure(closed)).toMatchObject({ code: 'STORAGE_FULL', exit: 1 })
    const refused = await new Promise<unknown>((resolve) =>
      createConnection({ port: 1, host: '127.0.0.1' }, () => {}).once('error', resolve),
    )
    expect(toFailure(refused)).toMatchObject({
      exit: 1,
      message: expect.stringMatching(/network.*ECONNREFUSED to connect/),
    })
    rmSync(dir, { recursive: true })
  })

  it('a fault of the program is one line without a trace, and --log-level debug adds the trace', () => {
    const fault = new TypeError('fixes[0] is undefined\n    at somewhere')
    const { out, stderr } = captured()
    expect(reportFailure(fault, false, out)).toBe(1)
    expect(stderr[0]).toBe('geotrace: this is a fault of Geo Trace: fixes[0] is undefined')
    expect(stderr.slice(1)).toEqual([expect.stringMatching(/^ {2}→ .*--log-level debug/)])
    const debugged = captured()
    reportFailure(fault, true, debugged.out)
    expect(debugged.stderr.join('\n')).toContain('failure.test.ts')
  })

  it('a value in a message is cut when it is long and loses the characters that a terminal obeys', () => {
    const { out, stderr } = captured()
    reportFailure(
      thrownBy(() => invalidCommand(`expected a name, got \u001b[31m${'x'.repeat(1e6)}\r\n\u0007`, 'choose a name')),
      false,
      out,
    )
    expect(stderr[0]!.length).toBeLessThan(700)
    expect([...stderr[0]!].filter((letter) => letter < ' ')).toEqual([])
    // A program that reads the JSON gets one sentence too.
    const json = captured(true)
    reportFailure(
      thrownBy(() => invalidCommand('no card at a\nb', 'name a file')),
      false,
      json.out,
    )
    expect(JSON.parse(json.stdout[0]!).error.message).toBe('no card at a b')
  })
})
