/** `geotrace salt init | run`: a volunteer's salt node. node/README.md. */
import { join } from 'node:path'
import { loadCore } from '@geotrace/core-wasm'
import { Command } from 'commander'
import { manifestClock } from '../manifest-clock.ts'
import { membershipRoutes } from '../membership/routes.ts'
import { systemRandom } from '../random.ts'
import { saltNode } from '../salt/node.ts'
import { processLog, runDaemon } from './daemon.ts'
import { createIdentity, hasCard, identityToCard, loadIdentity, readCard, writeCard } from './identity.ts'
import { collect, defaultDir, readManifest } from './options.ts'
import type { Output } from './output.ts'

interface InitOptions {
  dir: string
  operator: string
  address: string[]
}
export interface RunOptions {
  dir: string
  federation?: string
  listen: string[]
  localAddress?: string
  logLevel: string
}

/** Fixed, so that a router's rule lasts; another can be named with --address. */
const PORT = 4101

export function saltCommand(out: Output): Command {
  const init = new Command('init')
    .description('make the node’s keys and print its card for the founder')
    .option('--dir <dir>', 'keys and tables', defaultDir('salt'))
    .requiredOption('--operator <name>', 'you: lower-case letters, digits, dots, dashes')
    .option('--address <multiaddr>', 'where others reach the node; may be repeated', collect, [])
    .action((options: InitOptions) => initialise(options, out, PORT))
  const run = runOptions(new Command('run').description('run the node until Ctrl-C'), 'salt').action(runSalt)
  return new Command('salt').description('run a salt node, as a volunteer').addCommand(init).addCommand(run)
}

export function runOptions(command: Command, role: 'salt' | 'central'): Command {
  return command
    .option('--dir <dir>', 'keys and tables', defaultDir(role))
    .option('--federation <file>', 'the manifest (default: federation.json in the directory)')
    .option(
      '--listen <multiaddr>',
      'listen here instead of at the addresses in the manifest; may be repeated',
      collect,
      [],
    )
    .option('--local-address <ip>', 'dial from this address of the machine')
    .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
}

export function initialise({ dir, operator, address }: InitOptions, out: Output, port: number): void {
  const addresses = address.length > 0 ? address : [`/ip4/127.0.0.1/tcp/${port}`, `/ip4/127.0.0.1/tcp/${port + 100}/ws`]
  const card = identityToCard(createIdentity(dir, systemRandom), operator, addresses)
  writeCard(dir, card)
  out.line(JSON.stringify(card, null, 2))
  out.note(`keys are in ${dir}; keep them, and send the card above (it holds no secret) to your founder`)
  if (address.length === 0) out.note('these addresses serve this machine only: name public ones with --address')
}

async function runSalt(options: RunOptions): Promise<void> {
  const { secret, operatorSecret } = loadIdentity(options.dir)
  const manifest = readManifest(options.federation ?? join(options.dir, 'federation.json'))
  const [clock, random, log] = [manifestClock(manifest), systemRandom, processLog('salt', options.logLevel)]
  const node = saltNode({
    manifest,
    // Whether the federation pins it is for the node to say: a later roster may pin another.
    core: await loadCore(),
    secret,
    ...(operatorSecret && { operatorSecret }),
    dir: options.dir,
    ...(hasCard(options.dir) && { addresses: readCard(options.dir).addresses }),
    ...(options.listen.length > 0 && { listen: options.listen }),
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    clock,
    random,
    log,
  })
  await runDaemon({
    dir: options.dir,
    peer: node,
    routes: { 'GET /status': async () => node.status(), ...membershipRoutes(node.membership) },
    random,
    log,
  })
}
