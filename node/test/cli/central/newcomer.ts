/** A newcomer who follows node/CENTRAL.md from nothing to a peer that runs, is watched, backed up and restored. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { freePorts } from '../../salt/federation.ts'
import { run } from '../captured.ts'
import { type Running, start } from '../geotrace.ts'
import { pageReader, type Ran, type Reader } from './page.ts'

const PAUSE_MS = 50
const [FOUNDING, WATCHING, CODES] = ['From nothing to serving', 'Watching', 'Report codes'] as const
const STORE = 'The store, and backups'

interface Newcomer {
  readonly home: string
  readonly page: Reader
  readonly healthPort: number
  readonly saltPorts: readonly [number, number]
  readonly started: Running[]
}

/** `isWhole`: each command is a process of its own, as the page says; otherwise only the peers are. */
export async function followPage(isWhole: boolean): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'geotrace-newcomer-'))
  const [salt, saltWs, tcp, ws, health, metrics] = await freePorts(6)
  const meant = {
    ...{ '/ip4/203.0.113.9/tcp/4301': `/ip4/127.0.0.1/tcp/${tcp}`, '4391': `${health}`, '4392': `${metrics}` },
    ...{ '/dns4/central.example.org/tcp/4401/ws': `/ip4/127.0.0.1/tcp/${ws}/ws` },
    ...{ '/media/stick': join(home, 'stick'), '/backup': join(home, 'backup') },
  }
  const page = pageReader({ home, meant, isWhole })
  const newcomer = { home, page, healthPort: health!, saltPorts: [salt!, saltWs!] as const, started: [] }
  const before = process.env.HOME
  process.env.HOME = home
  try {
    await found(newcomer)
    await serve(newcomer)
    await restore(newcomer)
  } finally {
    process.env.HOME = before
    await endAll(newcomer.started)
    await rm(home, { recursive: true, force: true })
  }
}

/** The page assumes a founder; here it is one with one salt node. */
async function found({ home, page, saltPorts: [port, wsPort], started }: Newcomer): Promise<void> {
  const at = (...names: string[]): string => join(home, ...names)
  for (const name of ['backup', 'stick']) await mkdir(at(name))
  await writeFile(at('passphrase'), 'correct horse battery staple\n', { mode: 0o600 })
  sound(await page.follow(FOUNDING, 'npx geotrace central init'))
  const where = ['--host', '127.0.0.1', '--port', `${port}`, '--ws-port', `${wsPort}`]
  await writeFile(at('salt.json'), await text('salt', 'init', '--dir', at('salt'), '--operator', 'ash', ...where))
  const sizes = ['--salting', 'plain', '--shards', '2', '--replicas', '1', '--out', at('federation.json')]
  await text('federation', 'found', at('salt.json'), '--central', at('central.json'), ...sizes)
  sound(await page.follow(FOUNDING, 'npx geotrace federation open'))
  await copyFile(at('federation.json'), at('salt', 'federation.json'))
  await writeFile(at('salt-opening.json'), await text('federation', 'open', '--dir', at('salt')))
  const openings = [at('opening.json'), at('salt-opening.json')]
  await text('federation', 'complete', ...openings, '--federation', at('federation.json'))
  for (const dir of [at('.geotrace', 'central'), at('salt')])
    await copyFile(at('federation.json'), join(dir, 'federation.json'))
  started.push(start('salt', 'run', '--dir', at('salt')))
}

async function serve({ page, healthPort, started }: Newcomer): Promise<void> {
  sound(await page.follow(FOUNDING, 'npx geotrace central run'))
  started.push(page.peer())
  await until(async () => await isServing(healthPort))
  const [status, doctor] = sound(await page.follow(FOUNDING, 'npx geotrace central doctor'))
  expect(status!.stdout).toMatch(/^state +serving$/m)
  expect(doctor!.stdout).toMatch(/^0 problems, /m)
  expect(page.left(FOUNDING)).toEqual([])
  const [health, metrics] = sound(await page.follow(WATCHING, 'curl http://127.0.0.1:4392/metrics'))
  expect(health!.stdout).toMatch(/^serving\n/)
  expect(metrics!.stdout).toMatch(/^geotrace_healthy 1$/m)
  sound(await page.follow(CODES, 'npx geotrace codes issue --count'))
}

async function restore({ page, healthPort, started }: Newcomer): Promise<void> {
  const saved = sound(await page.follow(STORE, 'cp ~/.geotrace/central/store.keys'))
  const verified = saved.filter(({ stdout }) => /is sound: 0 users/.test(stdout))
  expect(verified.map(({ line }) => line.split(' ')[3])).toEqual(['backup', 'verify'])
  const peer = page.peer()
  sound(await page.follow(STORE, 'npx geotrace central restore'))
  expect((await peer.ended).code).toBe(0)
  sound(await page.follow(STORE, 'npx geotrace central run'))
  started.push(page.peer())
  await until(async () => await isServing(healthPort))
  expect(page.left(STORE)).toEqual([])
  // The codes were issued before the backup.
  expect(await text('codes', 'list')).toMatch(/ 200 +0 +0 +0 .*laboratory 3/)
}

function sound(ran: Ran[]): Ran[] {
  for (const { line, code, stdout, stderr } of ran) expect({ line, code, stdout, stderr }).toMatchObject({ code: 0 })
  return ran
}

async function text(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words)
  expect({ words, code, stderr }).toMatchObject({ code: 0 })
  return stdout.join('\n')
}

async function isServing(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/healthz`)).status === 200
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}

async function endAll(started: readonly Running[]): Promise<void> {
  for (const { child } of started) child.kill('SIGKILL')
  await Promise.all(started.map(({ ended }) => ended))
}
