/** `geotrace status`: what a running node says of itself. */
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { adminRequest } from '../admin/client.ts'
import { defaultDir } from './options.ts'
import { type Output, table } from './output.ts'

export function statusCommand(out: Output): Command {
  return new Command('status')
    .description('state and counters of a node on this machine')
    .option('--dir <dir>', 'its directory (default: the salt node’s, else the central peer’s)')
    .option('--json', 'one JSON object')
    .action(async ({ dir = present(), json }: { dir?: string; json?: boolean }) => {
      const status = (await adminRequest(dir, 'GET', '/status')) as Record<string, unknown>
      if (json) out.json(status)
      else for (const line of table(Object.entries(status).map(([key, value]) => [key, show(value)]))) out.line(line)
    })
}

function present(): string {
  const salt = defaultDir('salt')
  return existsSync(salt) ? salt : defaultDir('central')
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
