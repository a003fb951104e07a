/**
 * Runs fuzzed command lines on a machine with a full and a read-only disk, as a user without special rights. The machine is
 * a Linux namespace, made by `unshare` and `setpriv`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Places } from './places.ts'

const EXECUTOR = fileURLToPath(new URL('executor.mjs', import.meta.url))
/**
 * Mounts the disks, with the directories that are there. Not one byte fits on the full disk then, and two small files on the
 * tight disk.
 */
const MOUNT = `set -e
for disk in full tight; do
  cp -a "$1/$disk" "$1/copy"
  mount -t tmpfs -o size=2m,mode=700 tmpfs "$1/$disk"
  cp -a "$1/copy/." "$1/$disk"
  rm -r "$1/copy"
  dd if=/dev/zero of="$1/$disk/filler" bs=4k 2>/dev/null || true
done
truncate -s -8192 "$1/tight/filler"
mount --bind "$1/readonly" "$1/readonly"
mount -o remount,bind,ro "$1/readonly"
shift
exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all "$@"`

const LOG_MAX = 2_000

export interface Outcome {
  code: 0 | 1 | 2 | 'stuck' | 'ended'
  /** Whether the command waited for a signal and got one. */
  signalled: boolean
  stdout: string
  stderr: string
  /** Traces of errors that no command awaited. */
  stray: readonly string[]
  /** Paths that the command changed. */
  left: readonly string[]
}
export interface Machine {
  run(argv: readonly string[]): Promise<Outcome>
  stop(): Promise<void>
}

/** The words that run a program on this machine; undefined where the system does not allow them. */
export function machineArguments({ fixed }: Pick<Places, 'fixed'>): string[] | undefined {
  const args = ['-rm', 'sh', '-c', MOUNT, 'sh', fixed]
  return spawnSync('unshare', [...args, 'true'], { stdio: 'ignore' }).status === 0 ? ['unshare', ...args] : undefined
}

/** Without `prefix` the disks of this machine are used as they are, and the rights of this user. */
export function startMachine({ loose, pristine, fixed }: Places, prefix: readonly string[] = []): Machine {
  let child: ChildProcess | undefined
  let answers: AsyncIterator<string> | undefined
  /** The end of the logs of peers, and the trace of a process that ends. */
  let log = ''

  function launch(): ChildProcess {
    const [file, ...args] = [...prefix, process.execPath, EXECUTOR, loose, pristine, fixed]
    const home = `${loose}/home`
    const env = { ...process.env, HOME: home, NODE_ENV: 'production' }
    const started = spawn(file!, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], cwd: home, env })
    ;(started.stdio[3] as Writable).on('error', () => {})
    started.stderr!.on('data', (chunk) => {
      log = `${log}${chunk}`.slice(-LOG_MAX)
    })
    started.once('exit', (code, signal) => {
      log += `\nexit code ${code}, signal ${signal}`
    })
    answers = createInterface({ input: started.stdio[4] as Readable })[Symbol.asyncIterator]()
    return started
  }

  return {
    async run(argv) {
      child ??= launch()
      ;(child.stdio[3] as Writable).write(`${JSON.stringify(argv)}\n`)
      const { value, done } = await answers!.next()
      if (done !== true) {
        const outcome = JSON.parse(value) as Outcome
        if (outcome.code === 'stuck') await this.stop()
        return outcome
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      child = undefined
      return { code: 'ended', signalled: false, stdout: '', stderr: log, stray: [], left: [] }
    },
    async stop() {
      if (child === undefined) return
      const ended = once(child, 'close')
      child.kill('SIGKILL')
      await ended
      child = undefined
    },
  }
}
