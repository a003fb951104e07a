/**
 * `geotrace replay`: runs a whole federation on a simulated clock over recorded tracks. One process holds real nodes and real
 * streams on loopback. Every person has a libp2p host and a loopback address of their own, and all limits apply.
 * Throws COMMAND_INVALID, IMPORT_INVALID.
 */
import '../../platform/polyfill.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { examples, invalidCommand, moment, wholeNumber } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { readPeople } from './people.ts'
import { importLines, recordLine, sumImports } from './receipt.ts'
import type { Marked, ReplayResult } from './result.ts'
import { simulate } from './simulation.ts'

interface ReplayOptions {
  report: string
  at?: number
  degrees: number
  profile: 'seed'
  redaction: boolean
  json?: boolean
}

export function replayCommand(out: Output): Command {
  const command = new Command('replay')
    .description('run a whole federation over recorded tracks and print who is marked and why')
    .argument('<path...>', 'track files, or folders in which each file or folder is one person')
    .requiredOption('--report <id>', 'person who reports: the name of the folder or file')
    .option('--at <time>', 'time of the report (default: the first sync after the last fix)', moment)
    .option('--degrees <k>', 'number of contact steps to mark', wholeNumber, 1)
    .option('--profile <name>', 'accuracy rule of the client', 'seed')
    .option('--no-redaction', 'turn off the redaction by home, zones and speed')
    .option('--json', 'print one JSON object')
    .action((paths: string[], options: ReplayOptions) => replay(paths, options, out))
  return examples(command, 'geotrace replay ./tracks --report anna')
}

async function replay(paths: string[], options: ReplayOptions, out: Output): Promise<void> {
  if (options.profile !== 'seed')
    invalidCommand(`expected the profile seed, got ${options.profile}: leave --profile out`)
  const people = await readPeople(paths)
  if (!people.some(({ id }) => id === options.report)) {
    invalidCommand(
      `no person named ${options.report} in the tracks; there are: ${people.map(({ id }) => id).join(', ')}`,
    )
  }
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-replay-'))
  try {
    const result = await simulate({ ...options, people, dir, out })
    if (options.json) out.json({ ...result, imported: sumImports(people) })
    else for (const line of [...importLines(people), ...describe(result)]) out.line(line)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function describe(result: ReplayResult): string[] {
  const { reporter, people, fixes, recorded, riskHashes, saltRequests, marked, seconds } = result
  const time = Object.entries(seconds).map(([phase, value]) => `${phase} ${value.toFixed(2)} s`)
  return [
    recordLine(recorded),
    `${people} people, ${fixes} fixes, ${riskHashes} risk hashes, ${saltRequests} salt requests (${time.join(', ')})`,
    `${reporter} reports; ${marked.length} of ${people - 1} other people are marked`,
    ...marked.flatMap(describeMarked),
  ]
}

function describeMarked({ id, degree, same, trail, exposures }: Marked): string[] {
  const rows = exposures.map(({ from, to, lat, lng, matches }) => [
    '   ',
    `${iso(from)} – ${iso(to)}`,
    `near ${lat.toFixed(4)}, ${lng.toFixed(4)}`,
    `${matches} matches`,
  ])
  return [
    '',
    `${id}  degree ${degree}: ${same} hashes in the same block, ${trail} in the block after the other person`,
    ...toTable(rows),
  ]
}

function iso(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ')
}
