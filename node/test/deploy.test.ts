import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SALT_GAUGES } from '../src/admin/salt-gauges.ts'
import { CENTRAL_GAUGES } from '../src/cli/central/gauges.ts'
import { toServers } from '../src/cli/central/store/store-place.ts'
import { geotrace } from '../src/cli/main.ts'
import { captured } from './cli/captured-output.mjs'

/** The files of node/deploy, checked by the programs that read them. */
const DEPLOY = fileURLToPath(new URL('../deploy', import.meta.url))
const read = (name: string) => readFileSync(`${DEPLOY}/${name}`, 'utf8')

/** Whether a program is here. A missing one skips its tests with a line that says so; in CI it is a failure. */
function has(program: string, isNeeded: boolean): boolean {
  const isHere = spawnSync(program, ['--version']).error === undefined
  if (!isHere && isNeeded && process.env.CI) throw new Error(`CI needs ${program}: apt-get install prometheus`)
  if (!isHere) process.stderr.write(`SKIPPED: no ${program} on this machine\n`)
  return isHere
}

describe('the alert rules', () => {
  it.skipIf(!has('promtool', true))('promtool takes the rules, and they fire as their tests say', () => {
    for (const args of [
      ['check', 'rules', 'alerts.yml'],
      ['test', 'rules', 'alerts.test.yml'],
    ])
      execFileSync('promtool', args, { cwd: DEPLOY })
  })

  it('every measure in a rule is one that a peer gives', () => {
    const given = new Set([...Object.keys(SALT_GAUGES), ...Object.keys(CENTRAL_GAUGES)])
    const named = [...read('alerts.yml').matchAll(/\bgeotrace_\w+/g)].map(([name]) => name)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((name) => !given.has(name))).toEqual([])
  })
})

describe('the compose file', () => {
  it('every image but our own has an exact version', () => {
    const images = [...read('compose.yaml').matchAll(/^ {4}image: (\S+)$/gm)].map(([, image]) => image)
    expect(images).toEqual(['geotrace', expect.stringMatching(/^docker\.io\/library\/postgres:\d+\.\d+-\w+$/)])
  })

  it('the command of the peer is one that geotrace takes, with the probes of the health check', async () => {
    const [, list] = /^ {4}command: \[(.*)\]$/m.exec(read('compose.yaml'))!
    const words = list!.split(', ').map((word) => word.replaceAll("'", ''))
    const program = geotrace(captured().out)
    program.hook('preSubcommand', (_, command) => {
      for (const child of command.commands) child.action(() => {})
    })
    await program.parseAsync(words, { from: 'user' })
    expect(read('compose.yaml')).toContain(`http://127.0.0.1:${words[words.indexOf('--health-port') + 1]}/healthz`)
  })
})

describe.skipIf(!has('python3', false) || spawnSync('python3', ['-c', 'import yaml']).status !== 0)(
  'the compose file as YAML',
  () => {
    it('a parser takes it, each volume is declared, and the store is one that the peer takes', () => {
      const toJson = 'import yaml,json,sys; print(json.dumps(yaml.safe_load(sys.stdin)))'
      const text = execFileSync('python3', ['-c', toJson], { input: read('compose.yaml'), encoding: 'utf8' })
      const { services, volumes, ...rest } = JSON.parse(text) as Compose
      expect(rest).toEqual({ name: 'geotrace' })
      expect(Object.keys(services)).toEqual(['central', 'store'])
      const mounted = Object.values(services).flatMap((service) => service.volumes.map((item) => item.split(':')[0]))
      expect(mounted.sort()).toEqual(Object.keys(volumes).sort())
      expect(Object.keys(services.central!.depends_on!)).toEqual(['store'])
      expect(services.store!.healthcheck.test).toContain('pg_isready')
      const url = services.central!.environment.GEOTRACE_STORE!.replace(/\$\{POSTGRES_PASSWORD:\?[^}]*\}/, 'secret')
      expect(toServers(url)).toEqual(['postgres://geotrace:secret@127.0.0.1:5432/geotrace'])
      expect(services.store!.environment).toMatchObject({ POSTGRES_USER: 'geotrace', POSTGRES_DB: 'geotrace' })
    })
  },
)

it('each geotrace command in the head of the compose file is one that the command line takes', async () => {
  const commands = [...read('compose.yaml').matchAll(/^# .* geotrace (central .*?)(?: > \S+)?$/gm)].map(
    ([, line]) => line!,
  )
  expect(commands).toHaveLength(1)
  const program = geotrace(captured().out)
  program.hook('preSubcommand', (_, command) => {
    for (const child of command.commands) child.action(() => {})
  })
  for (const line of commands) await program.parseAsync(line.split(' '), { from: 'user' })
})

interface Compose {
  services: Record<
    string,
    {
      volumes: string[]
      depends_on?: object
      healthcheck: { test: string[] }
      environment: Record<string, string>
    }
  >
  volumes: object
}

describe('the units of systemd', () => {
  it.skipIf(!has('systemd-analyze', false)).each(['geotrace-salt.service', 'geotrace-central.service'])(
    'systemd takes %s without a complaint',
    (name) => {
      const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', `${DEPLOY}/${name}`], {
        encoding: 'utf8',
      })
      expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 })
    },
  )
})
