/** `geotrace central init | run`: the authority's central peer. node/CENTRAL.md. */
import { join } from 'node:path'
import { Command } from 'commander'
import { centralPeer } from '../central/peer.ts'
import { SEED_PROFILE } from '../central/risk-profile.ts'
import { centralRoutes } from '../central/routes.ts'
import { manifestClock } from '../manifest-clock.ts'
import { membershipRoutes } from '../membership/routes.ts'
import { systemRandom } from '../random.ts'
import { processLog, runDaemon } from './daemon.ts'
import { loadIdentity } from './identity.ts'
import { collect, defaultDir, readManifest, wholeNumber } from './options.ts'
import type { Output } from './output.ts'
import { initialise, type RunOptions, runOptions } from './salt.ts'

const PORT = 4301

export function centralCommand(out: Output): Command {
  const init = new Command('init')
    .description('make the peer’s keys and print its card for the founder')
    .option('--dir <dir>', 'keys and deposits', defaultDir('central'))
    .option('--operator <name>', 'the authority', 'authority')
    .option('--address <multiaddr>', 'where devices reach the peer; may be repeated', collect, [])
    .action((options) => initialise(options, out, PORT))
  const run = runOptions(new Command('run').description('run the peer until Ctrl-C'), 'central')
    .option('--degrees <k>', 'contact steps that a report marks', wholeNumber, SEED_PROFILE.degrees)
    .action(runCentral)
  return new Command('central').description('run the central peer, as the authority').addCommand(init).addCommand(run)
}

async function runCentral(options: RunOptions & { degrees: number }): Promise<void> {
  const { secret, operatorSecret } = loadIdentity(options.dir)
  const manifest = readManifest(options.federation ?? join(options.dir, 'federation.json'))
  const [clock, random, log] = [manifestClock(manifest), systemRandom, processLog('central', options.logLevel)]
  const peer = centralPeer({
    manifest,
    secret,
    ...(operatorSecret && { operatorSecret }),
    dir: options.dir,
    ...(options.listen.length > 0 && { listen: options.listen }),
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    config: { degrees: options.degrees },
    clock,
    random,
    log,
  })
  await runDaemon({
    dir: options.dir,
    peer,
    routes: { ...centralRoutes(peer), ...membershipRoutes(peer.membership) },
    random,
    log,
  })
}
