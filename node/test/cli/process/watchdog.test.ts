import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'

/** Imports the build, because a worker thread cannot run TypeScript. */
const STALLING = fileURLToPath(new URL('stalling.mjs', import.meta.url))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

async function start(stallMaxMs: number): Promise<{ child: ChildProcess; said: string[] }> {
  const child = fork(STALLING, [String(stallMaxMs)], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  children.push(child)
  const said: string[] = []
  child.stderr!.on('data', (text: Buffer) => said.push(String(text)))
  await once(child, 'message')
  return { child, said }
}

it('the watchdog ends a process with a blocked event loop and logs the reason', async () => {
  const { child, said } = await start(1_000)
  const ended = once(child, 'close')
  child.send('stall')
  expect(await ended).toEqual([null, 'SIGKILL'])
  expect(JSON.parse(said.join(''))).toMatchObject({ level: 60, role: 'test', msg: 'peer.stalled' })
})

it('the watchdog does not end a process that was suspended for longer than its limit', async () => {
  const { child, said } = await start(1_000)
  child.kill('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  child.kill('SIGCONT')
  // The process answers through several more ticks of the watchdog.
  for (let i = 0; i < 4; i++) {
    const answer = once(child, 'message')
    child.send('ping')
    expect(await answer).toEqual(['pong', undefined])
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  expect(said).toEqual([])
})
