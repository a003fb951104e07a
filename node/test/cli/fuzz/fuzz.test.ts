import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fuzz } from './campaign.ts'
import type { Drawn } from './draw.ts'
import { judge } from './judge.ts'
import { type Machine, machineArguments, type Outcome, startMachine } from './machine.ts'
import { makePlaces, type Places } from './places.ts'

/** `npm run test:slow -- cli/fuzz` runs thousands of these command lines. */
const COUNT = 120
const SEED = 11
let places: Places
let prefix: string[] | undefined
let machine: Machine
beforeAll(async () => {
  places = await makePlaces()
  prefix = machineArguments(places)
  machine = startMachine(places, prefix)
})
afterAll(async () => {
  await machine.stop()
  places.remove()
})

const DONE: Outcome = { code: 0, signalled: false, stdout: '', stderr: '', stray: [], left: [] }
const REFUSED: Outcome = { ...DONE, code: 2, stderr: 'geotrace: expected a port, got x\n  → give a number' }

describe('a fuzzed command line', () => {
  /** Encryption and peers take seconds of CPU; the slow suite has them. */
  const isCheap = ({ argv, expect: exit }: Drawn): boolean =>
    exit === 'usage' || !/^(salt (backup|restore|run)|central (run|doctor)|doctor)\b/.test(argv.join(' '))

  it('each command line gives a result or one sentence with the next step, and a failure leaves nothing behind', async () => {
    if (prefix === undefined)
      process.stderr.write('SKIPPED: full and read-only disks, because this machine allows no namespaces\n')
    const { findings, codes } = await fuzz({ places, machine, count: COUNT, seed: SEED, isWanted: isCheap })
    expect(findings).toEqual([])
    // The draw reaches results, failures and wrong command lines.
    for (const code of ['0', '1', '2']) expect(codes[code]).toBeGreaterThan(COUNT / 20)
  })

  it('a full disk, a read-only disk and a folder of another user each end with exit code 1 and their own words', async (context) => {
    if (prefix === undefined) return context.skip()
    const at = (disk: string) => `${places.fixed}/${disk}/new`
    const cases: [string, RegExp][] = [
      ['full', /the disk is full/],
      // The keys fit, and the nonce or the card does not.
      ['tight', /the disk is full/],
      ['readonly', /the disk is read-only/],
      ['locked', /this user has no right to it/],
    ]
    for (const [disk, words] of cases) {
      const outcome = await machine.run(['salt', 'init', '--dir', at(disk)])
      expect(outcome).toMatchObject({ code: 1, stderr: expect.stringMatching(words), left: [] })
      expect(judge({ argv: ['salt', 'init'], expect: 'any' }, outcome)).toEqual([])
    }
  })

  it('both doctors judge a path that leads nowhere, without a second failure beside their findings', async () => {
    for (const doctor of [['doctor'], ['central', 'doctor']]) {
      for (const name of ['loop', 'secret']) {
        const argv = [...doctor, '--dir', `${places.fixed}/${name}`]
        const outcome = await machine.run(argv)
        expect(outcome).toMatchObject({ code: 1, stdout: expect.stringContaining('problem') })
        expect(judge({ argv, expect: 'any' }, outcome)).toEqual([])
      }
    }
  })

  it.each<[string, Partial<Outcome>]>([
    ['a trace', { stderr: `${REFUSED.stderr}\n    at main (file:///x/main.js:12:3)` }],
    ['a trace', { stdout: 'TypeError: x is not a function' }],
    ['no next step', { stderr: 'geotrace: expected a port, got x' }],
    ['expected one sentence', { stderr: 'expected a port' }],
    ['lines after the next step', { stderr: `${REFUSED.stderr}\nmore` }],
    ['words of a program', { stderr: 'geotrace: expected undefined, got x\n  → give a number' }],
    ['left behind', { left: ['/x/peer.key.new'] }],
    ['an error that nothing awaits', { stray: ['Error: x'] }],
    ['the process is', { code: 'stuck' }],
    ['exit code 2 for a fault of the machine', { stderr: 'geotrace: cannot use /x: the disk is full\n  → free some' }],
    ['a result beside the failure', { stdout: 'Wrote x.' }],
    ['exit code 1, expected 2', { code: 1 }],
  ])('the judge reports %s', (problem, more) => {
    const line = { argv: ['salt', 'init', '--port', 'x'], expect: 'usage' as const }
    expect(judge(line, REFUSED)).toEqual([])
    expect(judge(line, { ...REFUSED, ...more }).join('\n')).toContain(problem)
  })
})
