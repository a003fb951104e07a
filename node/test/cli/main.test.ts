import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { run, wholeProgram } from './captured.ts'

describe('the command line', () => {
  it('every command has a description, and every command that acts has an example with its own name', async () => {
    const lacking: string[] = []
    const look = (command: Command, path: string): void => {
      if (command.description() === '') lacking.push(`${path}: description`)
      for (const child of command.commands) look(child, `${path} ${child.name()}`)
      if (command.commands.length > 0) return
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) })
      command.outputHelp()
      if (!help.includes(`\n  ${path}`)) lacking.push(`${path}: example`)
    }
    look(await wholeProgram(), 'geotrace')
    expect(lacking).toEqual([])
  })

  it('the help of a command lists the options of every command, and --help and --version end with exit code 0', async () => {
    const help = await run('salt', 'run', '--help')
    expect(help.code).toBe(0)
    expect(help.stdout.join('\n')).toMatch(/Global Options:[\s\S]*--json[\s\S]*--log-level/)
    expect(await run('--version')).toMatchObject({ code: 0, stdout: [expect.stringMatching(/^\d+\.\d+\.\d+$/)] })
    expect(await run('--version', '--json')).toEqual(await run('--version'))
  })

  it('a wrong command line gives one sentence and the next step, and ends with exit code 2', async () => {
    const cases: [string[], RegExp][] = [
      [[], /expected a command after `geotrace`: salt, central, federation/],
      [['salt'], /expected a command after `geotrace salt`: init, run, drain, backup, restore/],
      [['sallt'], /unknown command 'sallt' \(Did you mean salt\?\)/],
      [['salt', 'rum'], /unknown command 'rum' \(Did you mean run\?\)/],
      [['salt', 'run', '--prot', '1'], /unknown option '--prot' \(Did you mean --port\?\)/],
      [['salt', 'run', '--port', '70000'], /--port expected a whole number from 1 to 65535, got 70000/],
      [['salt', 'run', '--port', ''], /--port expected a whole number from 1 to 65535, got nothing/],
      [['salt', 'run', '--port'], /option '--port <n>' argument missing/],
      [['salt', 'run', '--max-memory', '10'], /--max-memory expected a whole number from 192 to 1048576, got 10/],
      [['salt', 'backup'], /missing required argument 'file'/],
      [['salt', 'drain', 'now'], /too many arguments/],
      [['reports', 'retract', 'x'], /report expected a whole number from 1 to 999999999, got x/],
      [['--log-level', 'loud', 'status'], /--log-level expected one of debug, info, warn, error, silent, got loud/],
      [['status', '--log-level', 'loud'], /--log-level expected one of/],
      [['codes', 'issue', '--from', '2999-01-01'], /--from expected a time that has passed, got 2999-01-01/],
      [
        ['federation', 'found', 'a', '--central', 'b', '--quota', 'lax'],
        /--quota expected one of rolling, strict, got lax/,
      ],
    ]
    for (const [argv, sentence] of cases) {
      const { code, stdout, stderr } = await run(...argv)
      expect({ argv, code, stdout, lines: stderr.length }).toEqual({ argv, code: 2, stdout: [], lines: 2 })
      expect(stderr[0]).toMatch(/^geotrace: /)
      expect(stderr[0]).toMatch(sentence)
      expect(stderr[1]).toMatch(/^ {2}→ run `geotrace.*--help`/)
    }
  })

  it('no command takes a secret as an argument, which every user of the machine could read', async () => {
    const slots: string[] = []
    const look = (command: Command, path: string): void => {
      // An option without a value takes no secret.
      const valued = command.options.filter(({ required, optional }) => required || optional)
      const options = valued.map(({ long }) => long!)
      for (const name of [...options, ...command.registeredArguments.map((argument) => `<${argument.name()}>`)])
        if (/pass|secret|token|code|key/.test(name)) slots.push(`${path} ${name}`)
      for (const child of command.commands) look(child, `${path} ${child.name()}`)
    }
    look(await wholeProgram(), 'geotrace')
    // The others name a file or a directory.
    const values = slots.filter(
      (slot) => !/--(cert|key|store-key-file|from-key-file|passphrase-file|secret-dir)$/.test(slot),
    )
    // Both are public keys.
    expect(values).toEqual([
      'geotrace federation propose expel <peer id or operator key>',
      'geotrace federation propose amend --tokens',
    ])
    expect(slots.length).toBeGreaterThan(5)
    const code = '7K3D-9QWX-0A1B-2C3D'
    const { code: exit, stdout, stderr } = await run('codes', 'revoke', code)
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: [] })
    expect(stderr.join('\n')).toMatch(/too many arguments/)
    expect(stderr.join('\n')).not.toContain(code)
  })

  it('with --json a failure is one JSON object on stdout, wherever the option stands', async () => {
    for (const argv of [
      ['--json', 'salt', 'run', '--port', 'x'],
      ['salt', 'run', '--port', 'x', '--json'],
    ]) {
      const { code, stdout, stderr } = await run(...argv)
      expect({ code, stderr, count: stdout.length }).toEqual({ code: 2, stderr: [], count: 1 })
      expect(JSON.parse(stdout[0]!)).toEqual({
        error: {
          code: 'COMMAND_INVALID',
          message: '--port expected a whole number from 1 to 65535, got x',
          next: 'run `geotrace salt run --help` to see its arguments and options',
          exit: 2,
        },
      })
    }
  })

  it('--log-level debug adds the trace of a failure, and no other level does', async () => {
    const argv = ['salt', 'backup', '/nowhere/x', '--dir', '/nowhere']
    expect((await run(...argv)).stderr.join('\n')).not.toMatch(/\n\s+at /)
    expect((await run(...argv, '--log-level', 'debug')).stderr.join('\n')).toMatch(/\n\s+at /)
  })
})
