/**
 * Runs command lines in this process, one after the other. A line of JSON on descriptor 3 has the arguments, and a line on
 * descriptor 4 the outcome. The process is started with three directories. The first is put back after each command that
 * changed it, the second is its copy, and changes of the third are only listed. A command that waits for a signal gets one.
 */
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, createReadStream, lstatSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { main } from '../../../dist/cli/main.js'
import { captured } from '../captured-output.mjs'

const [loose, pristine, fixed] = process.argv.slice(2)
const SIGNAL_POLL_MS = 20
/** A command that waits longer for something is stuck. */
const COMMAND_MAX_MS = 120_000

let stray = []
process.on('uncaughtException', (error) => stray.push(error.stack))
process.on('unhandledRejection', (error) => stray.push(error.stack))

/** Path → type, mode and content of everything below `dir`. */
function look(dir, into = new Map()) {
  for (const name of readdirSync(dir).sort()) {
    const path = join(dir, name)
    try {
      const stat = lstatSync(path)
      into.set(path, `${stat.mode.toString(8)} ${stat.isFile() ? contentOf(path, stat) : ''}`)
      // A peer that runs writes all the time.
      if (stat.isDirectory() && !name.startsWith('running')) look(path, into)
    } catch (error) {
      into.set(path, error.code)
    }
  }
  return into
}

function contentOf(path, { size }) {
  return `${size} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
}

function differences(before, after) {
  const paths = [...new Set([...before.keys(), ...after.keys()])]
  return paths.filter((path) => before.get(path) !== after.get(path))
}

function putBack() {
  for (const name of readdirSync(loose)) {
    if (name.startsWith('running')) continue
    rmSync(join(loose, name), { recursive: true, force: true })
  }
  cpSync(pristine, loose, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  // `cpSync` makes folders with the default mode.
  for (const [path, mode] of modes) chmodSync(path, mode)
  // The folder of before is gone.
  process.chdir(join(loose, 'home'))
}

const signals = () => process.listenerCount('SIGINT')

async function run(argv) {
  const before = [look(loose), look(fixed)]
  const { out, stdout, stderr } = captured(argv.includes('--json'))
  stray = []
  const listeners = signals()
  let signalled = false
  const poll = setInterval(() => {
    if (signals() === listeners) return
    signalled = true
    process.emit('SIGINT')
  }, SIGNAL_POLL_MS)
  let timer
  const stuck = new Promise((resolve) => {
    timer = setTimeout(resolve, COMMAND_MAX_MS, 'stuck')
  })
  const code = await Promise.race([main(argv, out), stuck])
  clearInterval(poll)
  clearTimeout(timer)
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name)
  // A failure that no command awaits comes in a later turn.
  await new Promise((resolve) => setTimeout(resolve, 0))
  const [loosened, changed] = [differences(before[0], look(loose)), differences(before[1], look(fixed))]
  if (loosened.length > 0) putBack()
  return {
    code,
    signalled,
    stdout: stdout.join('\n'),
    stderr: stderr.join('\n'),
    stray,
    left: [...loosened, ...changed],
  }
}

const modes = [...look(loose)]
  .filter(([, text]) => text.startsWith('4'))
  .map(([path, text]) => [path, Number.parseInt(text.split(' ')[0], 8) & 0o7777])

for await (const line of createInterface({ input: createReadStream('', { fd: 3 }) })) {
  const answer = `${JSON.stringify(await run(JSON.parse(line)))}\n`
  for (let at = 0, bytes = Buffer.from(answer); at < bytes.length; ) at += writeSync(4, bytes, at)
}
process.exit()
