import { spawn } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import {
  answerToSalts,
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeRosterReply,
  encodeRosterRequest,
  encodeSaltRequest,
  hashToRosterName,
  isFederationError,
  keyToPeerId,
  type Manifest,
  parseManifest,
  peerIdToKey,
  ROSTER_PROTOCOL,
  SALT_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { federationName } from '../../src/cli/identity/federation-name.ts'
import { createHost } from '../../src/net/host.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { freePorts } from '../salt/federation.ts'
import { run } from './captured.ts'
import { BIN, geotrace, type Running, start } from './geotrace.ts'

/** The commands of a volunteer with real processes: two salt nodes and a central peer, founded as README.md describes. */
const MEBIBYTE = 1 << 20
const SALTING = 'plain, WEAK: one request opens a region for three hours'
let dir: string
let ports: number[]
let manifest: Manifest
const running = new Map<string, Running>()
const at = (name: string) => join(dir, name)

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'geotrace-cli-'))
  ports = await freePorts(9)
})
afterAll(async () => {
  for (const { child } of running.values()) child.kill('SIGKILL')
  await Promise.all([...running.values()].map(({ ended }) => ended))
  await rm(dir, { recursive: true, force: true })
})

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 50))
}
const get = async (port: number, path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
  return { status: response.status, text: await response.text(), headers: response.headers }
}
const healthPort = () => ports[6]!
const metricsPort = () => ports[7]!
const runFirst = (...more: string[]) => {
  const probes = ['--health-port', String(healthPort()), '--metrics-port', String(metricsPort())]
  running.set('one', start('salt', 'run', '--dir', at('one'), ...probes, ...more))
  return running.get('one')!
}
/** Runs of a command that a busy machine answers too late. */
const TRIES_MAX = 10
const isServing = async () => (await get(healthPort(), '/healthz')).status === 200

/** Asks for salts as a phone does: over its own connection, with the answer checked. */
async function askForSalts(certified: CertifiedRoster): Promise<'answered' | string> {
  const host = await createHost({ secret: systemRandom(32), listen: [], clock: systemClock(), log: silent })
  try {
    const { peerId, addresses } = manifest.members[0]!
    const peer = { key: peerIdToKey(peerId), addresses }
    const blocks = [{ size: 80, n: Math.floor(systemClock().now() / (80 * 60_000)) }]
    const request = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard: 0, blocks })
    answerToSalts(await host.request(peer, SALT_PROTOCOL, request), certified, 0, blocks, peer.key)
    return 'answered'
  } catch (error) {
    if (isFederationError(error)) return error.code
    throw error
  } finally {
    await host.stop()
  }
}

async function fetchRoster(): Promise<CertifiedRoster> {
  const host = await createHost({ secret: systemRandom(32), listen: [], clock: systemClock(), log: silent })
  const { peerId, addresses } = manifest.members[1]!
  const request = encodeRosterRequest({ op: 'get', height: 0 })
  const reply = await host.request({ key: peerIdToKey(peerId), addresses }, ROSTER_PROTOCOL, request)
  await host.stop()
  return decodeCertifiedRoster(decodeRosterReply(reply)!)
}

describe('from nothing to a member', () => {
  it('salt init creates keys once, prints a card without a name, and prints the next steps', async () => {
    const first = await geotrace('salt', 'init', '--dir', at('trial'))
    expect(first.code).toBe(0)
    const card = JSON.parse(first.stdout)
    expect(card.operator).toBe(`volunteer-${card.operatorKey.slice(0, 8)}`)
    expect(card.addresses).toEqual(['/ip4/127.0.0.1/tcp/4101', '/ip4/127.0.0.1/tcp/4201/ws'])
    expect(first.stderr).toMatch(/this machine only[\s\S]*--host/)
    expect(first.stderr).toMatch(/Next:[\s\S]*salt backup[\s\S]*federation join[\s\S]*salt run/)
    expect((await stat(at('trial'))).mode & 0o777).toBe(0o700)
    for (const name of ['peer.key', 'operator.key', 'card.json']) {
      expect((await stat(join(at('trial'), name))).mode & 0o777).toBe(0o600)
    }

    const again = await geotrace('salt', 'init', '--dir', at('trial'), '--host', 'salt.example.org', '--port', '4111')
    expect(JSON.parse(again.stdout)).toEqual({
      ...card,
      addresses: ['/dns/salt.example.org/tcp/4111', '/dns/salt.example.org/tcp/4201/ws'],
    })
    // Without options, the card keeps the addresses of the last call.
    expect((await geotrace('salt', 'init', '--dir', at('trial'))).stdout).toBe(again.stdout)
  })

  it('salt run reports a missing federation file, missing keys and a wrong port, each with the next step', async () => {
    const missing = await geotrace('salt', 'run', '--dir', at('trial'))
    expect(missing).toMatchObject({ code: 2, stdout: '' })
    expect(missing.stderr).toContain(join(at('trial'), 'federation.json'))
    expect(missing.stderr).toContain('ask your founder')
    const none = await geotrace('salt', 'run', '--dir', at('nowhere'))
    expect(none.stderr).toContain('geotrace salt init')
    const wrong = await geotrace('salt', 'run', '--port', '70000')
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toMatch(/from 1 to 65535, got 70000/)
  })

  it('geotrace on a Node that is too old prints the version it needs', async () => {
    const old = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"18.20.4"}})'
    const child = spawn(process.execPath, ['--import', old, BIN, 'status'], { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', (chunk) => (stderr += chunk))
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1)
    expect(stderr).toMatch(/needs Node 20\.19 or newer; this is Node 18\.20\.4[\s\S]*nodejs\.org/)
  })

  it('a federation founded from cards answers a probe with "joining" first and then with "serving"', async () => {
    const init = async (role: string, name: string, i: number) => {
      const where = ['--host', '127.0.0.1', '--port', `${ports[2 * i]}`, '--ws-port', `${ports[2 * i + 1]}`]
      const { stdout } = await geotrace(role, 'init', '--dir', at(name), '--operator', name, ...where)
      await writeFile(at(`${name}.json`), stdout)
    }
    await Promise.all([init('salt', 'one', 0), init('salt', 'two', 1), init('central', 'central', 2)])
    const cards = [at('one.json'), at('two.json'), '--central', at('central.json')]
    const sizes = ['--salting', 'plain', '--shards', '3', '--replicas', '2', '--out', at('federation.json')]
    const usual = await geotrace('federation', 'found', ...cards, '--out', at('usual.json'))
    expect(usual.stdout).toMatch(/Salting: threshold, 1 of 2: /)
    expect(usual.stdout).toMatch(/With 16 devices per address, one address can test 21 120 cells of an epoch/)
    const found = await geotrace('federation', 'found', ...cards, ...sizes)
    expect(found).toMatchObject({ code: 0, stdout: expect.stringContaining(`Salting: ${SALTING}.`) })
    const handOut = async () => {
      for (const name of ['one', 'two', 'central'])
        await copyFile(at('federation.json'), join(at(name), 'federation.json'))
    }
    await handOut()
    const early = await geotrace('salt', 'run', '--dir', at('one'))
    expect(early).toMatchObject({ code: 2, stderr: expect.stringMatching(/not opened[\s\S]*federation open/) })
    const open = async (name: string) => {
      const { stdout } = await geotrace('federation', 'open', '--dir', at(name))
      await writeFile(at(`${name}-opening.json`), stdout)
      return at(`${name}-opening.json`)
    }
    const openings = await Promise.all(['one', 'two', 'central'].map(open))
    const complete = (...files: string[]) =>
      geotrace('federation', 'complete', ...files, '--federation', at('federation.json'))
    const missing = await complete(...openings.slice(1))
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringMatching(/1 of 3 openings[\s\S]*: one/) })
    expect((await complete(...openings)).code).toBe(0)
    manifest = parseManifest(await readFile(at('federation.json'), 'utf8'))
    await handOut()

    runFirst()
    await until(async () => (await get(healthPort(), '/healthz')).status === 503)
    expect(await get(healthPort(), '/healthz')).toMatchObject({
      status: 503,
      text: `joining\nfederation ${federationName(manifest)}\nsalting ${SALTING}\n`,
    })
    running.set('two', start('salt', 'run', '--dir', at('two')))
    running.set('central', start('central', 'run', '--dir', at('central')))
    await until(isServing)
    expect(await get(healthPort(), '/healthz')).toMatchObject({
      status: 200,
      // During the effort for the next roster a further line counts the parts of its period.
      text: expect.stringMatching(
        new RegExp(`^serving\nfederation ${federationName(manifest)}\nsalting ${SALTING}\n(next period lacks .*\n)?$`),
      ),
    })
  })
})

describe('a node that serves', () => {
  it('status shows a serving node as text and as JSON', async () => {
    const certified = await fetchRoster()
    expect(await askForSalts(certified)).toBe('answered')
    const { code, stdout } = await geotrace('status', '--dir', at('one'), '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      health: 'serving',
      state: 'serving',
      node: 'one',
      hints: [],
      votes: true,
      roster: { height: 0, name: expect.stringMatching(/^[0-9a-f]{16}$/) },
      shardCount: 3,
      shards: [0, 1, 2].map((shard) => ({ shard, held: true })),
      reach: { asked: 2, answered: 2 },
      answered: 1,
      refused: {},
      core: { pinned: true },
      memoryMaxBytes: 512 * MEBIBYTE,
    })
    const text = (await geotrace('status', '--dir', at('one'))).stdout
    expect(text).toMatch(/^state +serving, up for/m)
    expect(text).toMatch(/^roster +0 \([0-9a-f]{16}\), in force until .* UTC, for/m)
    expect(text).toMatch(/^peers +2 of 2 answered/m)
    expect(text).toMatch(
      /^relay +0 sealed syncs passed on, 0 refused; (the central peer is linked|no connection to .*)$/m,
    )
    expect(text).toMatch(/^seal +[0-9a-f]{16}, valid at least until .* UTC$/m)
  })

  it('doctor finds no problem on a serving node and names what it cannot check', async () => {
    let { code, stdout } = await geotrace('doctor', '--dir', at('one'), '--json')
    // A busy machine may answer the sealed frame too late.
    for (let tries = 1; tries < TRIES_MAX && /does not answer through this node/.test(stdout); tries++) {
      ;({ code, stdout } = await geotrace('doctor', '--dir', at('one'), '--json'))
    }
    const { ok, running, findings } = JSON.parse(stdout)
    expect({ code, ok, running }).toEqual({ code: 0, ok: true, running: true })
    const severities = Object.fromEntries(findings.map(({ check, severity }: any) => [check, severity]))
    // The limits of crash dumps and open files depend on the machine.
    expect(severities).toMatchObject(
      Object.fromEntries(
        [
          'node',
          'rights',
          'disk',
          'federation',
          'core',
          'peers',
          'addresses',
          'relay',
          'running',
          'clock',
          'roster',
        ].map((check) => [check, 'ok']),
      ),
    )
    expect(findings.find(({ check }: any) => check === 'addresses').what).toMatch(/no other machine reaches/)
    for (const { severity, next } of findings) expect(next === undefined).toBe(severity === 'ok')
  })

  it('a node opens no debugger on SIGUSR1, through which other users of the machine could read its seeds', async () => {
    running.get('one')!.child.kill('SIGUSR1')
    // The command takes longer than Node needs to open its debugger.
    expect((await geotrace('status', '--dir', at('one'))).code).toBe(0)
    expect(running.get('one')!.stderr()).not.toMatch(/debugger/i)
  })

  it('the metrics hold counts with labels from fixed lists, and no address or peer id', async () => {
    const { status, text, headers } = await get(metricsPort(), '/metrics')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=/)
    expect(text).toMatch(/^geotrace_healthy 1$/m)
    expect(text).toMatch(/^geotrace_seeds_held 3$/m)
    expect(text).toMatch(/^geotrace_requests_total\{protocol="\/geotrace\/salt\/1"\} 1$/m)
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
    expect(text).not.toMatch(/12D3Koo|127\.0\.0|ip4|tcp\/\d/)
    const labels = [...text.matchAll(/^geotrace_\w+\{(.*)\}/gm)].map((match) => match[1]!)
    for (const label of labels)
      expect(label).toMatch(/^(protocol="\/geotrace\/\w+\/1"(,code="[A-Z_]+")?|version="[\d.]+")$/)
    // The port answers GET /metrics and nothing else.
    expect((await get(metricsPort(), '/')).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${metricsPort()}/metrics`, { method: 'POST' })).status).toBe(405)
  })

  it('salt run names a taken port, the option that changes it, and the command for a running node', async () => {
    const second = await geotrace('salt', 'run', '--dir', at('one'))
    expect(second.code).toBe(1)
    expect(second.stderr).toContain(`port ${ports[0]} is taken`)
    expect(second.stderr).toMatch(/--port \d+/)
    expect(second.stderr).toMatch(/router/)

    const stranger = createServer()
    await new Promise<void>((resolve) => stranger.listen(ports[8], '127.0.0.1', resolve))
    const free = ['--port', `${await otherPort()}`, '--ws-port', `${await otherPort()}`]
    const health = await geotrace('salt', 'run', '--dir', at('one'), ...free, '--health-port', `${ports[8]}`)
    expect(health.code).toBe(1)
    expect(health.stderr).toMatch(new RegExp(`port ${ports[8]} is taken[\\s\\S]*--health-port`))
    await new Promise((resolve) => stranger.close(resolve))

    // With free ports the directory is still in use.
    const locked = await geotrace('salt', 'run', '--dir', at('one'), ...free)
    expect(locked.code).toBe(1)
    expect(locked.stderr).toMatch(/another (node|process)[\s\S]*salt drain/)
  })
})

describe('a newcomer and its sponsors', () => {
  const federation = async (...args: string[]) => await geotrace('federation', ...args)
  const pending = async (name: string): Promise<string> => (await federation('log', '--dir', at(name))).stdout

  it('a newcomer applies by a file, sponsors endorse it on their machines, and every node shows the endorsements', async () => {
    const [port, wsPort] = [await otherPort(), await otherPort()]
    await geotrace('salt', 'init', '--dir', at('three'), '--port', `${port}`, '--ws-port', `${wsPort}`)
    await copyFile(at('federation.json'), join(at('three'), 'federation.json'))
    const application = await federation('join', '--dir', at('three'))
    expect(application).toMatchObject({ code: 0, stderr: expect.stringMatching(/geotrace federation vote join\.json/) })
    await writeFile(at('join.json'), application.stdout)

    const first = await federation('vote', at('join.json'), '--dir', at('one'))
    expect(first).toMatchObject({ code: 0, stdout: 'Endorsed by 1 of 2 operators: one\n' })
    expect(first.stderr).toMatch(/1 more must endorse it/)
    await until(async () => (await pending('two')).includes('(1 of 2 endorsements: one)'))
    // The file is unchanged. The first endorsement came by gossip.
    const second = await federation('vote', at('join.json'), '--dir', at('two'), '--json')
    expect(JSON.parse(second.stdout)).toMatchObject({ kind: 'join', endorsedBy: ['one', 'two'], needs: 2 })
    await until(async () => (await pending('one')).includes('(2 of 2 endorsements: one, two)'))
    expect(await pending('one')).toMatch(
      /^0 {2}[0-9a-f]{16} .*\n(?:1 {2}[0-9a-f]{16} .*\n)?(?:pending: the central peer has a new seal key\n)?pending: volunteer-[0-9a-f]{8} joins with node 12D3KooW/m,
    )
  })

  it('a second vote changes nothing, and a change that no roster can make is refused with the reason', async () => {
    const again = await run('federation', 'vote', at('join.json'), '--dir', at('one'))
    expect(again).toMatchObject({ code: 0, stdout: ['Endorsed by 2 of 2 operators: one, two'] })
    expect(again.stderr.join(' ')).toMatch(
      /You endorse: volunteer-\w+ joins with node .*endorsed it before.*next roster/,
    )
    const propose = (...args: string[]) => run('federation', 'propose', ...args, '--dir', at('one'))
    const many = await propose('amend', '--replicas', '9')
    expect(many).toMatchObject({ code: 1, stdout: [] })
    expect(many.stderr[0]).toMatch(/no roster can make this change: members of fewer than 9 operators would be left/)
    const stranger = await propose('expel', keyToPeerId(new Uint8Array(32).fill(1)))
    expect(stranger).toMatchObject({ code: 1, stderr: [expect.stringMatching(/stranger/), expect.any(String)] })
    const founder = await run('federation', 'join', '--dir', at('two'))
    expect(founder).toMatchObject({
      code: 2,
      stderr: [expect.stringMatching(/founded the federation/), expect.any(String)],
    })
  })

  it('doctor names a federation.json of another founding, by the peers or by the records', async () => {
    await mkdir(at('strayed'), { mode: 0o700 })
    for (const name of ['peer.key', 'operator.key', 'card.json'])
      await copyFile(join(at('three'), name), join(at('strayed'), name))
    const other = { ...manifest, name: 'Founded twice' }
    await writeFile(join(at('strayed'), 'federation.json'), JSON.stringify(other))
    const { code, stdout } = await run('doctor', '--dir', at('strayed'))
    expect(code).toBe(1)
    expect(stdout.join('\n')).toMatch(
      /FAIL +peers +3 of 3 peers answer; of another federation: one, two, central\n +→ .*of another founding/,
    )
    // In the directory of a node that has records the same file is refused before any peer is asked.
    const refused = await run('doctor', '--dir', at('two'), '--federation', join(at('strayed'), 'federation.json'))
    expect(refused.stdout.join('\n')).toMatch(
      /FAIL +records +federation\.json is \w{16}, and the records .* belong to \w{16}/,
    )
  })

  it('vote refuses a file that is no signed change and names the file', async () => {
    const strange = await federation('vote', at('federation.json'), '--dir', at('one'))
    expect(strange.code).not.toBe(0)
    expect(strange.stderr).toMatch(/federation\.json/)
  })
})

async function otherPort(): Promise<number> {
  return (await freePorts(1))[0]!
}

describe('the authority', () => {
  const doctor = async () => {
    const { code, stdout } = await run('central', 'doctor', '--dir', at('central'), '--json')
    const { ok, running: isRunning, findings } = JSON.parse(stdout.join(''))
    for (const { severity, next } of findings) expect(next === undefined).toBe(severity === 'ok')
    const severities = Object.fromEntries(findings.map(({ check, severity }: any) => [check, severity]))
    return { code, ok, isRunning, severities }
  }

  it('central doctor finds no problem on a serving peer, and asks for a backup until one is made', async () => {
    const { severities, ...rest } = await doctor()
    expect(rest).toEqual({ code: 0, ok: true, isRunning: true })
    const machine = ['rights', 'disk', 'store', 'seals', 'reports', 'accounts', 'audit']
    const sound = [...machine, 'federation', 'core', 'retention', 'peers', 'clock', 'addresses', 'running', 'roster']
    expect(severities).toMatchObject(Object.fromEntries([...sound, 'version'].map((check) => [check, 'ok'])))
    // The keys of a new store lie beside the data, and nobody has made a backup.
    expect(severities).toMatchObject({ 'store-keys': 'warn', backup: 'warn' })
    expect((await run('central', 'backup', at('backup'), '--dir', at('central'))).code).toBe(0)
    expect((await doctor()).severities.backup).toBe('ok')
  })

  it('central drain stops the peer with code 0, and the doctor finds it ready to start', async () => {
    const drained = await geotrace('central', 'drain', '--dir', at('central'), '--json')
    const peer = await running.get('central')!.ended
    expect({ drained: drained.code, peer: peer.code, stderr: drained.stderr }).toEqual({
      drained: 0,
      peer: 0,
      stderr: '',
    })
    expect(JSON.parse(drained.stdout)).toMatchObject({ pid: running.get('central')!.child.pid, stopped: true })
    expect(peer.stderr).not.toMatch(/net.not-drained/)
    expect((await doctor()).severities).toMatchObject({ running: 'warn', store: 'ok', ports: 'ok', peers: 'ok' })
    running.set('central', start('central', 'run', '--dir', at('central')))
    await until(async () => (await doctor()).severities.running === 'ok')
  })
})

describe('draining', () => {
  it('salt drain lets the node answer its open requests and exit with code 0', async () => {
    const certified = await fetchRoster()
    let isOver = false
    const outcomes: string[] = []
    const phones = Array.from({ length: 4 }, async () => {
      while (!isOver) outcomes.push(await askForSalts(certified))
    })
    await until(async () => outcomes.length >= 8)
    const drained = await geotrace('salt', 'drain', '--dir', at('one'), '--json')
    isOver = true
    await Promise.all(phones)
    const node = await running.get('one')!.ended
    expect(drained.code).toBe(0)
    expect(JSON.parse(drained.stdout)).toMatchObject({ pid: running.get('one')!.child.pid, stopped: true })
    expect(drained.stderr).toBe('')
    expect(node.code).toBe(0)
    expect(outcomes.slice(0, 8)).toEqual(Array(8).fill('answered'))
    // A request gets a whole answer or none; after none a phone asks another replica.
    for (const outcome of outcomes) expect(['answered', 'PEER_UNREACHABLE', 'PEER_TIMEOUT', 'BUSY']).toContain(outcome)

    const gone = await geotrace('status', '--dir', at('one'))
    expect(gone.code).toBe(1)
    expect(gone.stderr).toContain('geotrace salt run')
  })

  it('doctor finds a drained node ready to start', async () => {
    const { code, stdout } = await geotrace('doctor', '--dir', at('one'))
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ok +ports +free/m)
    expect(stdout).toMatch(/^ok +peers +2 of 2 peers answer/m)
    expect(stdout).toMatch(/^ok +clock +within a second/m)
    expect(stdout).toMatch(/^warn +running[\s\S]*→ start it: geotrace salt run/m)
  })
})

describe('a node in trouble', () => {
  it('salt run refuses keys that other users can read and prints the chmod command', async () => {
    const key = join(at('one'), 'operator.key')
    await chmod(key, 0o640)
    const readable = await geotrace('salt', 'run', '--dir', at('one'))
    expect(readable.code).toBe(1)
    expect(readable.stderr).toContain(`chmod 600 '${key}'`)
    const doctor = await geotrace('doctor', '--dir', at('one'))
    expect(doctor.code).toBe(1)
    expect(doctor.stdout).toMatch(/^FAIL +rights/m)
    await chmod(key, 0o600)
    await chmod(at('one'), 0o750)
    expect((await geotrace('salt', 'run', '--dir', at('one'))).stderr).toContain(`chmod 700 '${at('one')}'`)
    await chmod(at('one'), 0o700)
  })

  it('a node refuses requests near its memory limit and exits with code 1 above it', async () => {
    // The smallest limit that `salt run` takes, and a process that seems to use as many MiB as a file says.
    const uses = (mib: number) => writeFile(at('mib'), String(mib))
    await uses(100)
    const rss = `import{readFileSync}from'node:fs';process.memoryUsage.rss=()=>readFileSync('${at('mib')}')*${MEBIBYTE}`
    process.env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(rss)}`
    const node = runFirst('--max-memory', '192')
    delete process.env.NODE_OPTIONS
    const certified = await fetchRoster()
    await until(isServing)
    expect(await askForSalts(certified)).toBe('answered')
    await uses(180)
    await until(async () => (await askForSalts(certified)) === 'BUSY')
    await uses(300)
    const { code, stderr } = await node.ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/"mib":180,"maxMib":192,"msg":"memory.shedding"/)
    expect(stderr).toMatch(/"mib":300,"maxMib":192,"msg":"memory.exceeded"/)
  })
})
