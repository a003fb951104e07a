/**
 * `geotrace replay`: runs a whole federation on a simulated clock over recorded tracks. One process holds real nodes and real
 * streams on loopback. Every person has a libp2p host and a loopback address of their own, and all limits apply.
 * Throws COMMAND_INVALID, IMPORT_INVALID.
 */
import '../../platform/polyfill.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { grouped, plural } from '../../admin/page/words.ts'
import { DEMO_OPERATORS } from '../../local/local-federation.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { optionsToSalting, type SaltingOptions } from '../terminal/salting.ts'
import { minute } from '../terminal/times.ts'
import { readPeople } from './people.ts'
import { importLines, recordLine, sumImports } from './receipt.ts'
import type { Marked, ReplayResult } from './result.ts'
import { simulate } from './simulation.ts'

const NODES = DEMO_OPERATORS.length

export interface ReplayOptions extends Pick<SaltingOptions, 'salting' | 'threshold'> {
  report: string
  at?: number
  degrees: number
  redaction: boolean
}

export async function replay(paths: string[], options: ReplayOptions, out: Output): Promise<void> {
  const people = await readPeople(paths)
  if (!people.some(({ id }) => id === options.report)) {
    invalidCommand(
      `no person named ${options.report} in the tracks`,
      `name one of: ${people.map(({ id }) => id).join(', ')}`,
    )
  }
  const salting = optionsToSalting(options, NODES)
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-replay-'))
  let result: ReplayResult
  try {
    result = await simulate({ ...options, salting, people, dir, out })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  out.json({ ...result, imported: sumImports(people) })
  for (const line of [...importLines(people), ...resultLines(result)]) out.line(line)
}

export function resultLines(result: ReplayResult): string[] {
  const { reporter, people, fixes, recorded, riskHashes, saltRequests, evaluations, marked, seconds } = result
  const time = Object.entries(seconds).map(([phase, value]) => `${phase} ${value.toFixed(2)} s`)
  return [
    recordLine(recorded),
    `${plural(people, 'person', 'people')}, ${plural(fixes, 'fix', 'fixes')} hashed, ${plural(riskHashes, 'risk hash', 'risk hashes')}, ${plural(saltRequests, 'salt request')}${evaluations > 0 ? `, ${plural(evaluations, 'evaluation')}` : ''} (${time.join(', ')})`,
    `${reporter} reports; ${marked.length} of ${plural(people - 1, 'other person', 'other people')} ${marked.length === 1 ? 'is' : 'are'} marked`,
    ...marked.flatMap(describeMarked),
  ]
}

function describeMarked({ id, degree, same, trail, exposures }: Marked): string[] {
  const rows = exposures.map(({ from, to, lat, lng, matches }) => [
    '   ',
    `${minute(from)} – ${minute(to)}`,
    `near ${lat.toFixed(4)}, ${lng.toFixed(4)}`,
    plural(matches, 'match', 'matches'),
  ])
  return [
    '',
    `${id}  degree ${degree}: ${plural(same, 'hash', 'hashes')} in the same block, ${grouped(trail)} in the block after the other person`,
    ...toTable(rows),
  ]
}
