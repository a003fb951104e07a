import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** `geotrace demo` as a user runs it: its output, and that no process or folder remains however the demo ends. */
const BIN = fileURLToPath(new URL('../../bin/geotrace.js', import.meta.url))

interface Run {
  child: ChildProcess
  text(): string
  until(pattern: RegExp): Promise<void>
  ended: Promise<number | null>
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [BIN, 'demo', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (text += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  return {
    child,
    text: () => text,
    ended,
    async until(pattern) {
      for (let waited = 0; !pattern.test(text); waited += 50) {
        if (child.exitCode !== null || waited > 300_000) throw new Error(`no ${pattern} in:\n${text}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
  }
}

const pids = (text: string) => [...text.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]))
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
async function expectGone(all: number[]): Promise<void> {
  // An empty list would pass every check below.
  expect(all.length).toBeGreaterThan(0)
  for (let waited = 0; all.some(isAlive) && waited < 60_000; waited += 100) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(all.filter(isAlive)).toEqual([])
}
const directories = () => readdirSync(tmpdir()).filter((name) => name.startsWith('geotrace-demo-'))

describe('the demo', () => {
  it('demo --once prints the whole story, marks the people who were exposed, and leaves no process or folder', {
    timeout: 600_000,
  }, async () => {
    const before = directories()
    const demo = run('--once')
    expect(await demo.ended).toBe(0)
    const text = demo.text()
    const processes = pids(text)
    expect(processes).toHaveLength(6)
    await expectGone(processes)
    expect(directories().filter((name) => !before.includes(name))).toEqual([])
    // Every resident has a code of their own, and tokens for the day.
    const enrolled = [...text.matchAll(/^ {3}(\w+) +((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}) {2}[3-4] tokens$/gm)]
    expect(enrolled.map(([, name]) => name)).toEqual(['ada', 'ben', 'cleo', 'dan', 'eve', 'finn'])
    expect(new Set(enrolled.map(([, , code]) => code)).size).toBe(6)
    expect(text).toMatch(/ben: AT RISK, degree 1.*sat at her table/)
    expect(text).toMatch(/cleo: AT RISK, degree 1.*had just been/)
    expect(text).toMatch(/dan: AT RISK, degree 2/)
    expect(text).toMatch(/eve: not at risk/)
    expect(text).toMatch(/finn: not at risk/)
    expect(text).toMatch(/\d\d:\d\d – \d\d:\d\d {2}near 52\.5\d+, 13\.4\d+ {2}\d+ matching/)
  })

  it.each([
    ['before its processes start', (dir: string) => dir !== ''],
    ['while its processes start', (dir: string) => existsSync(join(tmpdir(), dir, 'authority', 'log'))],
  ])(
    'a demo that gets SIGTERM %s ends with exit code 0 and leaves no process or folder',
    {
      timeout: 600_000,
    },
    async (_, isTime) => {
      const demo = run()
      const own = (): string => directories().find((name) => name.startsWith(`geotrace-demo-${demo.child.pid}-`)) ?? ''
      while (!isTime(own())) await new Promise((resolve) => setTimeout(resolve, 20))
      const dir = own()
      demo.child.kill('SIGTERM')
      expect(await demo.ended).toBe(0)
      expect(demo.text()).toMatch(/All processes have ended/)
      // It did not go on: the list of processes comes when all of them serve.
      expect(pids(demo.text())).toEqual([])
      expect(directories()).not.toContain(dir)
      expect(execFileSync('ps', ['-axo', 'args='], { encoding: 'utf8' })).not.toContain(dir)
    },
  )

  it('a demo ends all processes at Ctrl-C or SIGKILL, and the next demo removes the folder of a killed one', {
    timeout: 600_000,
  }, async () => {
    const killed = run()
    await killed.until(/pid \d+/)
    killed.child.kill('SIGKILL')
    await killed.ended
    await expectGone(pids(killed.text()))
    const left = directories().filter((name) => name.startsWith(`geotrace-demo-${killed.child.pid}-`))
    expect(left).toHaveLength(1)

    const next = run()
    await next.until(/keeps running/)
    expect(directories()).not.toContain(left[0])
    const [, url] = /The web app, for you: {2}(http:\/\/127\.0\.0\.1:\d+\/)/.exec(next.text())!
    const get = (path: string) => fetch(`${url}${path}`)
    expect(await (await get('')).text()).toContain('<title>Geo Trace</title>')
    const tokens = { perDay: 4, key: expect.stringMatching(/^[0-9a-f]{512}$/) }
    expect(await (await get('federation.json')).json()).toMatchObject({
      name: 'Geo Trace demo',
      parameters: { tokens },
    })
    expect(next.text()).toMatch(/an enrolment code: +(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4} /)
    const { features } = (await (await get('demo-track.geojson')).json()) as { features: unknown[] }
    expect(features).toHaveLength(34)
    // A peer that ends by itself does not end the demo.
    const [, central] = /central +authority +pid (\d+)/.exec(next.text())!
    process.kill(Number(central), 'SIGKILL')
    await next.until(/authority has ended and starts again in 10 s[\s\S]*authority is started again/)
    next.child.kill('SIGINT')
    expect(await next.ended).toBe(0)
    await expectGone(pids(next.text()))
  })
})
