import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { supervisor } from '../../src/cli/demo/supervisor.ts'
import { residentLines, rosterLine } from '../../src/cli/demo/words.ts'
import { readPeople } from '../../src/cli/replay/people.ts'
import { importLines, recordLine } from '../../src/cli/replay/receipt.ts'
import { resultLines } from '../../src/cli/replay/replay.ts'
import { run } from './captured.ts'
import { captured } from './captured-output.mjs'
import { HOUR, NOW } from './salt/samples.ts'

/**
 * The output of commands that write files, in `golden/`: what goes to stdout, and what goes to stderr after `!`. Keys,
 * ids, folders and times that differ in each run stand as words.
 */
const dir = mkdtempSync(join(tmpdir(), 'geotrace-golden-'))
const at = (name: string) => join(dir, name)
afterAll(() => rmSync(dir, { recursive: true }))

const golden = (name: string, lines: readonly string[]) =>
  expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/${name}.txt`)

function steady(text: string): string {
  return text
    .replaceAll(dir, 'DIR')
    .replace(/12D3KooW\w{44}/g, 'PEER-ID')
    .replace(/\b[0-9a-f]{64}\b/g, 'HEX-64')
    .replace(/\b[0-9a-f]{16}\b/g, 'FEDERATION')
    .replace(/volunteer-[0-9a-f]{8}/g, 'volunteer-DIGITS')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, 'TIME')
}

/** Runs the command, and returns it with its output. */
async function shown(...argv: string[]): Promise<{ lines: string[]; stdout: string }> {
  const { code, stdout, stderr } = await run(...argv)
  expect({ argv, code }).toEqual({ argv, code: 0 })
  const head = `$ geotrace ${argv.map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ')}`
  const lines = [head, ...stdout.join('\n').split('\n'), ...stderr.map((line) => `! ${line}`), '']
  return { lines: lines.map(steady), stdout: stdout.join('\n') }
}

describe('the output of commands that write files', () => {
  it('init, found, open and complete read as in golden/founding.txt', async () => {
    const lines: string[] = []
    const names = ['ash', 'birch', 'cedar', 'elm', 'fir']
    const show = async (isShown: boolean, ...argv: string[]): Promise<string> => {
      const { lines: more, stdout } = await shown(...argv)
      if (isShown) lines.push(...more)
      return stdout
    }
    await show(true, 'salt', 'init', '--dir', at('trial'))
    for (const name of names) {
      const host = ['--host', `${name}.example.org`, '--operator', name]
      writeFileSync(at(`${name}.json`), await show(name === 'ash', 'salt', 'init', '--dir', at(name), ...host))
    }
    const host = ['--host', 'central.example.org']
    writeFileSync(at('central.json'), await show(true, 'central', 'init', '--dir', at('central'), ...host))
    const cards = names.map((name) => at(`${name}.json`))
    const file = at('federation.json')
    const found = ['--central', at('central.json'), '--name', 'Health South', '--out', file]
    await show(true, 'federation', 'found', ...cards, ...found)
    for (const name of [...names, 'central']) {
      const opening = ['federation', 'open', '--dir', at(name), '--federation', file]
      writeFileSync(at(`${name}.opening`), await show(name === 'ash', ...opening))
    }
    const openings = [...names, 'central'].map((name) => at(`${name}.opening`))
    await show(true, 'federation', 'complete', ...openings, '--federation', file)
    await golden('founding', lines)
  })

  it('salt backup and restore read as in golden/backup.txt', async () => {
    await shown('salt', 'init', '--dir', at('old'))
    writeFileSync(at('passphrase'), 'correct horse battery\n', { mode: 0o600 })
    const secret = ['--passphrase-file', at('passphrase')]
    await golden('backup', [
      ...(await shown('salt', 'backup', at('node.backup'), '--dir', at('old'), ...secret)).lines,
      ...(await shown('salt', 'restore', at('node.backup'), '--dir', at('new'), ...secret)).lines,
    ])
  })

  it('replay reads as in golden/replay.txt', async () => {
    mkdirSync(at('tracks/anna'), { recursive: true })
    const rows = 'lat,lng,time\n1,2,2026-03-02T10:00:00\n1,2,2026-03-02T10:05:00Z\nx,2,noon\n'
    writeFileSync(at('tracks/anna/a.csv'), rows)
    writeFileSync(at('tracks/anna/Settings.json'), '{"deviceSettings": []}')
    const seconds = { hash: 0.25, salt: 1, deposit: 0.5, risk: 0.125 }
    const exposure = { from: NOW, to: NOW + HOUR, lat: 52.5, lng: 13.4, matches: 36 }
    const base = { reporter: 'anna', degrees: 1, seconds, marked: [], evaluations: 0 }
    const few = { ...base, people: 1, fixes: 1, recorded: { taken: 1, refused: {} }, riskHashes: 1, saltRequests: 1 }
    const refused = { inaccurate: 1_178, 'accuracy-unknown': 149, 'not-better': 12, 'redacted-home': 3 }
    const many = {
      ...{ ...base, people: 12, fixes: 1_327, recorded: { taken: 10, refused }, riskHashes: 23_885 },
      ...{
        saltRequests: 120,
        evaluations: 7_740,
        marked: [{ id: 'ben', degree: 1, same: 25, trail: 1, exposures: [exposure] }],
      },
    }
    await golden('replay', [
      ...importLines(await readPeople([at('tracks')])).map(steady),
      ...resultLines(few),
      '',
      ...resultLines(many),
      recordLine({ taken: 0, refused: {} }),
    ])
  })

  it('the demo prints its lines as in golden/demo.txt', async () => {
    const { out, stdout } = captured()
    const keeper = supervisor(out)
    const roster = { height: 2, name: '0123456789abcdef', operators: 6, votes: 6, members: 5 }
    const exposure = { from: NOW, to: NOW + HOUR, lat: 52.5, lng: 13.4, matches: 36 }
    keeper.ended({ name: 'ash' } as never)
    keeper.stop()
    const people = [
      { name: 'ben', story: 'sat at her table', degree: 1, same: 36, trail: 0, exposures: [exposure] },
      { name: 'eve', story: 'was in the park', degree: 0, same: 0, trail: 0, exposures: [] },
    ]
    const local = (text: string): string => text.replace(/\b\d\d:\d\d\b/g, 'HH:MM')
    await golden('demo', [
      ...people.flatMap((person) => residentLines(person as never)).map(local),
      local(rosterLine({ ...roster, firstEpoch: 373_800, newcomers: 0, admitted: 0, changes: [] })),
      local(rosterLine({ ...roster, firstEpoch: 373_800, newcomers: 1, admitted: 1, changes: ['hazel joins'] })),
      ...stdout,
    ])
  })
})
