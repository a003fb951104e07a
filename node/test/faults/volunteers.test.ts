/**
 * Two volunteers follow node/README.md word for word in their terminals and become members of a running federation.
 * Meanwhile a third operator joins by `demo add-node`, and `demo kill` kills a node. The test reads all commands from the
 * README.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { libp2pDialer } from '@geotrace/client/node'
import { loadGroup } from '@geotrace/core-wasm/voprf'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeEvaluateAnswer,
  decodeRosterReply,
  EVALUATE_PROTOCOL,
  encodeEvaluateRequest,
  encodeRosterRequest,
  hashToRosterName,
  isSignedEvaluation,
  keyToShards,
  parseManifest,
  peerIdToKey,
  ROSTER_PROTOCOL,
  requestToShape,
  rosterInForce,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loopbackAddresses } from '../../src/local/loopback.ts'
import { manifestClock } from '../../src/platform/manifest-clock.ts'
import { BIN } from '../cli/geotrace.ts'
import { freePorts } from '../salt/federation.ts'

/** The speed of time. At 60, delays of a machine under a load of ten make clocks 20 s wrong; 30 s are allowed. */
const SPEED = Number(process.env.FAULTS_SPEED ?? 40)
const POLL_MS = 1_000
const group = await loadGroup()
const [PORT, WS_PORT] = [4101, 4201]
const SPONSORS = ['ash', 'birch', 'cedar']
const dir = mkdtempSync(join(tmpdir(), 'geotrace-volunteers-'))
const at = (...names: string[]): string => join(dir, ...names)
const terminals: Terminal[] = []

beforeAll(() => {
  mkdirSync(at('bin'))
  mkdirSync(at('tmp'))
  // The README calls the command in three ways: `npx geotrace` in the clone, `geotrace`, and `npm start`.
  shim('geotrace', '"$@"')
  shim('npx', '"$@"', '[ "$1" = geotrace ] || exit 64\nshift')
  shim('npm', 'demo "$@"', '[ "$1 $2" = "start --" ] || exit 64\nshift 2')
})
afterAll(async () => {
  for (const terminal of terminals) terminal.end()
  await Promise.all(terminals.map(({ ended }) => ended))
  await rm(dir, { recursive: true, force: true, maxRetries: 3 })
})

function shim(name: string, args: string, check = ''): void {
  writeFileSync(at('bin', name), `#!/bin/bash\n${check}\nexec '${process.execPath}' '${BIN}' ${args}\n`)
  chmodSync(at('bin', name), 0o755)
}

interface Terminal {
  text(): string
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
  interrupt(): void
  end(): void
}

/** A shell of one person, with a home directory and a folder of its own. */
function terminal(who: string, line: string): Terminal {
  mkdirSync(at(who, 'clone'), { recursive: true, mode: 0o700 })
  const env = { ...process.env, HOME: at(who), TMPDIR: at('tmp'), PATH: `${at('bin')}:${process.env.PATH}` }
  // The shell gets a process group, so that a signal to the group ends every process that the shell starts.
  const child: ChildProcess = spawn('/bin/bash', ['-c', line], {
    cwd: at(who, 'clone'),
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (text += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, name)
    } catch {
      // The group has ended already.
    }
  }
  const made = { text: () => text, ended, interrupt: () => signal('SIGINT'), end: () => signal('SIGKILL') }
  terminals.push(made)
  return made
}

/** Runs a command, expects exit code 0, and resolves with its output. */
async function run(who: string, line: string): Promise<string> {
  const made = terminal(who, line)
  expect(await made.ended, `${who}$ ${line}\n${made.text()}`).toBe(0)
  return made.text()
}

async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  alive: readonly Terminal[],
): Promise<T> {
  for (;;) {
    const found = await check()
    if (found !== undefined && found !== false) return found
    for (const { ended, text } of alive) {
      const code = await Promise.race([ended, pause(0, 'up')])
      if (code !== 'up') throw new Error(`waiting for ${what}: a terminal ended with exit code ${code}:\n${text()}`)
    }
    await pause(POLL_MS)
  }
}

const README = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8')

/** All commands of a README section, from code blocks and sentences, without their comments. */
function commands(title: string): string[] {
  const [, section] = new RegExp(`\\n## ${title}\\n([\\s\\S]*?)\\n##`).exec(README)!
  const blocks = [...section!.matchAll(/```\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.split('\n'))
  const spans = [...section!.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, span]) => span!)
  const lines = [...blocks, ...spans].map((line) => line.replace(/\s+#.*$/, ''))
  return [...new Set(lines.filter((line) => /^(git|npm|npx|geotrace) /.test(line)))]
}

/** Hands out each README command once. `left` returns the commands that the test did not follow. */
function script(lines: readonly string[]) {
  const left = new Set(lines)
  return {
    take(start: string): string {
      const [line, ...others] = [...left].filter((item) => item.startsWith(start))
      expect(others, `one command that starts with ${start}`).toEqual([])
      expect(line, `a command that starts with ${start}`).toBeDefined()
      left.delete(line!)
      return line!
    },
    left: () => [...left],
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** The first volunteer uses the README's ports if they are free. The second needs other ports, as the README says. */
async function portOptions(): Promise<string[]> {
  const [a, b, c, d] = await freePorts(4)
  const options = (port: number, wsPort: number) => ` --port ${port} --ws-port ${wsPort}`
  return [(await isFree(PORT)) && (await isFree(WS_PORT)) ? '' : options(a!, b!), options(c!, d!)]
}

interface Status {
  state: string
  health: string
  roster?: { height: number }
  shards: { shard: number; held: boolean }[]
}
const status = async (who: string): Promise<Status | undefined> => {
  const asked = terminal(who, 'geotrace status --json')
  return (await asked.ended) === 0 ? (JSON.parse(asked.text()) as Status) : undefined
}

it('the commands of the README make two volunteers members of a running federation', async () => {
  const founding = script(commands('From nothing to a member'))
  const joining = script(commands('Join a running federation'))

  const demo = terminal('founder', joining.take('npm start').replace(/--speed \d+/, `--speed ${SPEED}`))
  await until('the demo', async () => /keeps running/.test(demo.text()), [demo])
  const [demoName] = readdirSync(at('tmp')).filter((name) => name.startsWith('geotrace-demo-'))
  const federation = at('tmp', demoName!, 'federation.json')
  const manifest = parseManifest(readFileSync(federation, 'utf8'))
  for (const sponsor of SPONSORS) {
    mkdirSync(at(sponsor, '.geotrace'), { recursive: true })
    symlinkSync(at('tmp', demoName!, sponsor), at(sponsor, '.geotrace', 'salt'))
  }

  const init = founding.take('npx geotrace salt init').replace('salt.example.org', '127.0.0.1')
  expect(init.startsWith(joining.take('geotrace salt init').replace('…', '127.0.0.1'), 'npx '.length)).toBe(true)
  const apply = joining.take('geotrace federation join')
  const vote = joining.take('geotrace federation vote')
  const log = joining.take('geotrace federation log')
  const runs = joining.take('geotrace salt run')
  expect(founding.take('geotrace salt run')).toBe(runs)

  const doctor = founding.take('geotrace doctor')

  const nodes: Terminal[] = []
  const volunteers = ['first', 'second']
  const names: string[] = []
  for (const [i, ports] of (await portOptions()).entries()) {
    const who = volunteers[i]!
    await run(who, init.replace(' > ', `${ports} > `))
    names.push((JSON.parse(readFileSync(at(who, 'clone', 'card.json'), 'utf8')) as { operator: string }).operator)
    copyFileSync(federation, at(who, '.geotrace', 'salt', 'federation.json'))
    await run(who, apply)
    for (const sponsor of SPONSORS) {
      mkdirSync(at(sponsor, 'clone'), { recursive: true })
      copyFileSync(at(who, 'clone', 'join.json'), at(sponsor, 'clone', 'join.json'))
      await run(sponsor, vote)
    }
    const node = terminal(who, `${runs}${ports}`)
    nodes.push(node)
    expect(await until(`${who} to wait`, async () => (await status(who))?.state, [demo, node])).toBe('waiting')
  }
  expect(await run(SPONSORS[0]!, log)).toMatch(new RegExp(`pending: ${names[0]} joins[^\\n]*3 of 3 endorsements`))

  expect(await run('founder', joining.take('npx geotrace demo add-node'))).toMatch(/runs as process/)
  expect(await run('founder', joining.take('npx geotrace demo kill'))).toMatch(/birch is gone/)
  await until('birch to come back', async () => /birch is started again/.test(demo.text()), [demo])

  const alive = [demo, ...nodes]
  const clock = manifestClock(manifest)
  for (const who of volunteers) {
    const serves = async (): Promise<Status | false> => {
      const said = await status(who)
      return said?.health === 'serving' && said.shards.length > 0 && said.shards.every(({ held }) => held) && said
    }
    const said = await until(`${who} to serve`, serves, alive)
    process.stdout.write(`${who} serves ${said.shards.length} shards, roster ${said.roster?.height}\n`)
    // A phone gets salts from the node, and the sheets of the roster prove them.
    const card = JSON.parse(readFileSync(at(who, 'clone', 'card.json'), 'utf8')) as {
      peerId: string
      addresses: string[]
    }
    const answered = async (): Promise<boolean> => (await askNow(card, () => clock.now())) > 0
    await until(`salts of ${who}`, () => answered().catch(() => false), alive)
    expect(await run(who, doctor)).toMatch(/0 problems, 0 warnings\.\s*$/)
  }
  const rosters = await run(volunteers[0]!, log)
  for (const name of [...names, 'hazel']) expect(rosters).toMatch(new RegExp(`${name} joins`))
  expect(rosters).not.toMatch(/pending: .* joins/)
  expect((await status(SPONSORS[1]!))?.health, 'birch, which was killed').toBe('serving')

  // The test does not follow: cloning, commands that ask for a passphrase, founding, the status page, and leaving.
  expect(founding.left().map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
    'git clone …',
    'geotrace salt backup',
    'geotrace federation found',
    'geotrace status --page',
    // The README's explanation of the short form `geotrace`.
    'npx geotrace',
  ])
  expect(joining.left()).toEqual(['geotrace federation leave', 'geotrace status'])

  for (const who of volunteers) await run(who, 'geotrace salt drain')
  expect(await Promise.all(nodes.map(({ ended }) => ended))).toEqual([0, 0])
  demo.interrupt()
  expect(await demo.ended).toBe(0)
  expect(readdirSync(at('tmp')).filter((name) => name.startsWith('geotrace-demo-'))).toEqual([])
})

/** How many evaluations a node makes for the current epoch under the roster in force, signed by it. */
async function askNow(card: { peerId: string; addresses: string[] }, now: () => number): Promise<number> {
  const [localAddress] = await loopbackAddresses(3, 1)
  const session = await libp2pDialer({ localAddress: localAddress! }).open()
  try {
    const key = peerIdToKey(card.peerId)
    const peer = { key, addresses: card.addresses }
    const chain: CertifiedRoster[] = []
    for (;;) {
      const request = encodeRosterRequest({ op: 'get', height: chain.length })
      const bytes = decodeRosterReply(await session.request(peer, ROSTER_PROTOCOL, request))
      if (bytes === undefined) break
      chain.push(decodeCertifiedRoster(bytes))
    }
    const epoch = timeToEpoch(now())
    const inForce = rosterInForce(chain, epoch)
    const [shard] = inForce === undefined ? [] : keyToShards(inForce.roster, key)
    if (inForce === undefined || shard === undefined) return 0
    const elements = [Array.from({ length: 12 }, (_, i) => group.fromHash(group.sha512(Uint8Array.of(i))))]
    const asked = { roster: hashToRosterName(inForce.hash), shard, wantsKeys: false, epochs: [epoch], elements }
    const request = encodeEvaluateRequest(asked)
    const answer = decodeEvaluateAnswer(
      await session.request(peer, EVALUATE_PROTOCOL, request),
      requestToShape(asked, 0),
    )
    return isSignedEvaluation(key, request, answer) ? answer.epochs[0]!.evaluated.length : 0
  } finally {
    await session.close()
  }
}
