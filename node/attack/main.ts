/**
 * `npm run attack [-- NAME…] [--setting NAME] [--people N] [--json FILE] [--markdown FILE]`: runs the attacks against real
 * federations on loopback and prints the figures. The exit code is 1 when a gate does not hold, 2 for a wrong command line.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ATTACKS } from './attacks/index.ts'
import { runAttacks } from './lab/run.ts'
import type { Scene } from './lab/scene.ts'
import { SETTINGS } from './lab/settings.ts'
import { allHold, resultsToMarkdown, resultsToText } from './lab/table.ts'
import { createTown } from './lab/town.ts'
import { readTracks } from './lab/tracks.ts'

/** They deposit some 15,000 hashes in their hour. */
const PEOPLE = 60

const options = {
  setting: { type: 'string' },
  people: { type: 'string' },
  json: { type: 'string' },
  markdown: { type: 'string' },
} as const
const { values, positionals } = parseArgs({ options, allowPositionals: true })
const unknown = positionals.filter((name) => !ATTACKS.some((attack) => attack.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no attack ${unknown.join(', ')}; there are ${ATTACKS.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}
const attacks = ATTACKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const settings = SETTINGS.filter(({ name }) => values.setting === undefined || values.setting === name)
const people = Number(values.people ?? PEOPLE)
const town = createTown(people)
const worlds: Scene[] = [town]
const tracks = resolve('..', 'shared', 'traces', 'geolife')
if (existsSync(tracks)) worlds.push(await readTracks(tracks, town.from))
else process.stderr.write('\n*** SKIPPED: no recorded tracks in ../shared/traces; only the town is attacked ***\n\n')
const results = await runAttacks({
  attacks,
  worlds,
  settings,
  progress: (text) => void process.stderr.write(`${text}\n`),
})
const byName = [...attacks].sort((a, b) => Number(a.name.slice(1)) - Number(b.name.slice(1)))
process.stdout.write(`${resultsToText(byName, results)}\n`)
if (values.markdown !== undefined) writeFileSync(values.markdown, `${resultsToMarkdown(byName, results)}\n`)
if (values.json !== undefined) {
  const machine = `${cpus()[0]?.model.trim() ?? process.arch} × ${cpus().length}, ${process.platform} ${process.arch}`
  const about = byName.map(({ name, title, attacker, meaning, limit }) => ({ name, title, attacker, meaning, limit }))
  const record = { machine, node: process.versions.node, people, attacks: about, results }
  writeFileSync(values.json, `${JSON.stringify(record, null, 2)}\n`)
}
// Sockets of stopped hosts may still close.
process.exit(allHold(results) ? 0 : 1)
