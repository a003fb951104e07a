import { spawn } from 'node:child_process'
import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BIN, type Running, start } from '../geotrace.ts'
import { fuzz } from './campaign.ts'
import type { Drawn } from './draw.ts'
import { judge } from './judge.ts'
import { type Machine, machineArguments, type Outcome, startMachine } from './machine.ts'
import { makePlaces, type Places } from './places.ts'

/** Thousands of command lines in one process, and a hundred as processes, beside a salt node and a central peer that run. */
const COUNT = Number(process.env.FUZZ_COMMANDS ?? 2_000)
const SEED = Number(process.env.FUZZ_SEED ?? 2)
const PROCESSES = 100
/** Longer than any command needs. */
const PROCESS_MAX_MS = 300_000
let places: Places
let prefix: string[] | undefined
const peers: Running[] = []

beforeAll(async () => {
  places = await makePlaces()
  prefix = machineArguments(places)
  for (const [role, name, dir] of [
    ['salt', 'birch', 'running'],
    ['central', 'central', 'running-central'],
  ] as const) {
    const own = join(places.loose, dir)
    cpSync(join(places.loose, name), own, { recursive: true })
    peers.push(start(role, 'run', '--dir', own, '--log-level', 'silent'))
    while (!existsSync(join(own, 'admin.json'))) await new Promise((resolve) => setTimeout(resolve, 50))
  }
}, 600_000)
afterAll(async () => {
  for (const { child } of peers) child.kill('SIGKILL')
  await Promise.all(peers.map(({ ended }) => ended))
  places.remove()
})

/** A stopped peer would answer no later command. */
const isWanted = ({ argv }: Drawn): boolean =>
  !(argv.includes('drain') && argv.some((word) => word.includes('running')))

/** Runs each command line as a process of its own, on the disks and with the rights of the machine. */
function processes(): Machine {
  const [file = process.execPath, ...args] = [...(prefix ?? []), process.execPath]
  return {
    run: (argv) =>
      new Promise((resolve, reject) => {
        const cwd = join(places.loose, 'home')
        const env = { ...process.env, HOME: cwd }
        const child = spawn(file, [...args, BIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], cwd, env })
        const text = { stdout: '', stderr: '' }
        for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk) => (text[name] += chunk))
        const timer = setTimeout(() => child.kill('SIGKILL'), PROCESS_MAX_MS)
        child.once('error', reject)
        child.once('close', (code) => {
          clearTimeout(timer)
          const [stdout, stderr] = [text.stdout.trimEnd(), text.stderr.trimEnd()]
          const outcome = { signalled: false, stdout, stderr, stray: [], left: [] }
          resolve({ ...outcome, code: (code ?? 'ended') as Outcome['code'] })
        })
      }),
    stop: async () => {},
  }
}

/** As a process, a peer that starts does not end by itself, and a word with a zero byte is no argument. */
const isProcess = (drawn: Drawn): boolean =>
  isWanted(drawn) &&
  (!/^(salt|central) run/.test(drawn.argv.join(' ')) || drawn.expect === 'usage') &&
  drawn.argv.every((word) => !word.includes('\0'))

describe.skipIf(process.platform !== 'linux')('fuzzed command lines', () => {
  it(`${COUNT} command lines in one process each give a result or one sentence, and leave nothing behind`, async () => {
    if (prefix === undefined)
      process.stderr.write('SKIPPED: full and read-only disks, because this machine allows no namespaces\n')
    const machine = startMachine(places, prefix)
    const { findings, codes } = await fuzz({ places, machine, count: COUNT, seed: SEED, isWanted })
    await machine.stop()
    process.stderr.write(`${COUNT} command lines by exit code: ${JSON.stringify(codes)}\n`)
    expect(findings).toEqual([])
  }, 3_600_000)

  it('both doctors give findings or one sentence in each place', async () => {
    const machine = startMachine(places, prefix)
    const disks = ['full', 'tight', 'readonly', 'locked'].flatMap((disk) =>
      ['', 'ash', 'central', 'empty', 'new'].map((name) => join(places.fixed, disk, name)),
    )
    const dirs = [...readdirSync(places.loose).map((name) => join(places.loose, name)), ...disks]
    for (const doctor of [['doctor'], ['central', 'doctor']]) {
      for (const argv of dirs.flatMap((dir) => [
        ['--dir', dir],
        ['--dir', dir, '--json'],
      ])) {
        const line = [...doctor, ...argv]
        expect(judge({ argv: line, expect: 'any' }, await machine.run(line)), line.join(' ')).toEqual([])
      }
    }
    await machine.stop()
  }, 3_600_000)

  it(`${PROCESSES} command lines as processes give the same`, async () => {
    const { findings } = await fuzz({ places, machine: processes(), count: PROCESSES, seed: SEED, isWanted: isProcess })
    expect(findings).toEqual([])
  }, 3_600_000)
})
