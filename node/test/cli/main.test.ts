import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { geotrace } from '../../src/cli/main.ts'
import { terminal } from '../../src/cli/terminal/output.ts'

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
  look(await geotrace(terminal()), 'geotrace')
  expect(lacking).toEqual([])
})
