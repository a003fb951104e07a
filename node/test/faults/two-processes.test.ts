/**
 * Two processes on one store in PostgreSQL. A random one is killed again and again, or the one that leads. All that
 * either acknowledged must be there, and no period may have two votes. FAULTS_KILLS sets the number of kills.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '@geotrace/core-wasm'
import { hexToBytes } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bundleProgram, startProgram } from '../../../scripts/test-program.js'
import { postgresStore } from '../../src/central/store/postgres/postgres-store.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { hasServer, type TestServer, testServer } from '../central/store/postgres/server.ts'
import { id } from '../central/store/sample.ts'

const KILLS = Number(process.env.FAULTS_KILLS ?? 300)
const SPEED = 20
const NAMES = ['first', 'second'] as const
type Name = (typeof NAMES)[number]

let server: TestServer
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-two-'))
  server = await testServer({ isDurable: true })
})
afterAll(async () => {
  await server?.remove()
  await rm(dir, { recursive: true, force: true })
})

it.skipIf(!hasServer())(`two processes lose nothing and vote once over ${KILLS} kills`, async () => {
  const [url] = await server.createPlace(1)
  const keyPath = join(dir, 'store.keys')
  const acknowledged: Record<Name, string[]> = { first: [], second: [] }
  const votes = new Map<string, Set<string>>()
  const running = new Map<Name, ChildProcess>()
  let leader: Name = 'first'
  let [leads, before] = [0, 0]

  const program = await bundleProgram('node/test/faults/two-processes-child.ts')
  const start = async (name: Name): Promise<void> => {
    const child = startProgram(program, [name, keyPath, url!, `${SPEED}`])
    running.set(name, child)
    await new Promise<void>((ready) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [kind, value = '', hash = ''] = line.split(' ')
        if (kind === 'l') [leader, leads] = [name, leads + 1]
        if (kind === 'v') votes.set(value, (votes.get(value) ?? new Set()).add(hash))
        if (kind === 'a') acknowledged[name].push(value)
        if (kind === 'a') ready()
      })
    })
  }
  const kill = async (name: Name): Promise<void> => {
    const child = running.get(name)!
    const gone = new Promise((end) => child.once('close', end))
    child.kill('SIGKILL')
    await gone
  }
  const until = async (check: () => boolean): Promise<void> => {
    while (!check()) await pause(20)
  }

  for (const name of NAMES) await start(name)
  for (let kills = 0; kills < KILLS; kills++) {
    await pause(50 * (kills % 7))
    const victim = kills % 2 === 0 ? leader : NAMES[kills % 3 === 0 ? 0 : 1]!
    before = leads
    const wasLeader = victim === leader
    await kill(victim)
    // The other one takes over while the killed one is away.
    if (wasLeader) await until(() => leads > before)
    await start(victim)
  }
  for (const name of NAMES) await kill(name)

  const store = await postgresStore({ urls: [url!], keyPath, random: systemRandom, clock: systemClock() })
  const lost: string[] = []
  for (const name of NAMES) {
    const user = (await store.findUser(id(name)))!
    for (const sync of acknowledged[name]) if (!(await store.findSync(user, hexToBytes(sync)))) lost.push(sync)
  }
  await store.close()
  const twice = [...votes].filter(([, hashes]) => hashes.size > 1)
  const counts = NAMES.map((name) => acknowledged[name].length)
  process.stdout.write(`${KILLS} kills: ${counts.join(' + ')} deposits, ${leads} leaders, ${votes.size} votes\n`)
  expect({ lost, twice }).toEqual({ lost: [], twice: [] })
  expect(Math.min(...counts, votes.size, leads)).toBeGreaterThan(0)
})
