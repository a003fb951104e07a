/**
 * `geotrace federation found CARD… --central CARD`: writes the founding manifest from the cards of the members.
 * Throws COMMAND_INVALID, MANIFEST_INVALID.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { systemClock } from '@geotrace/core-wasm'
import { bytesToHex, DEFAULT_PARAMETERS, manifestToId } from '@geotrace/core-wasm/wire'
import { Command } from 'commander'
import { newManifest, parseCard } from '../../membership/new-manifest.ts'
import { systemRandom } from '../../platform/random.ts'
import { examples, invalidCommand, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

interface FoundOptions {
  central: string
  name: string
  out: string
  shards: number
  replicas: number
  periodEpochs: number
  retentionDays: number
  quota: 'rolling' | 'strict'
}

export function foundCommand(out: Output): Command {
  const command = new Command('found')
    .description('write federation.json from the cards that `salt init` and `central init` print')
    .argument('<card...>', 'card files of the salt nodes')
    .requiredOption('--central <card>', 'card file of the central peer')
    .option('--name <name>', 'name of the federation', 'Geo Trace')
    .option('--out <file>', 'manifest to write; an existing file is not overwritten', 'federation.json')
    .option(
      '--shards <n>',
      'number of shards (N) that the world is divided into',
      wholeNumber,
      DEFAULT_PARAMETERS.shards,
    )
    .option('--replicas <n>', 'number of salt nodes that hold each shard (R)', wholeNumber, DEFAULT_PARAMETERS.replicas)
    .option(
      '--period-epochs <n>',
      'length of a roster period in epochs of 80 minutes',
      wholeNumber,
      DEFAULT_PARAMETERS.periodEpochs,
    )
    .option(
      '--retention-days <days>',
      'days until the central peer deletes deposits',
      wholeNumber,
      DEFAULT_PARAMETERS.retentionDays,
    )
    .option('--quota <rule>', 'quota rule of the salt nodes: rolling or strict', DEFAULT_PARAMETERS.quota)
    .action((cards: string[], options: FoundOptions) => found(cards, options, out))
  return examples(command, 'geotrace federation found cards/*.json --central central.json --name "Health South"')
}

function found(cards: string[], options: FoundOptions, out: Output): void {
  if (existsSync(options.out))
    invalidCommand(
      `${options.out} already exists; a second founding makes a second federation, so move the file away first`,
    )
  const read = (path: string) => {
    if (!existsSync(path))
      invalidCommand(`no card at ${path}; name a file that \`salt init\` or \`central init\` printed`)
    return parseCard(readFileSync(path, 'utf8'), path)
  }
  const manifest = newManifest({
    name: options.name,
    members: cards.map(read),
    central: read(options.central),
    parameters: {
      shards: options.shards,
      replicas: options.replicas,
      periodEpochs: options.periodEpochs,
      retentionDays: options.retentionDays,
      quota: options.quota,
    },
    at: systemClock().now(),
    random: systemRandom,
  })
  writeFileSync(options.out, `${JSON.stringify(manifest, null, 2)}\n`, { flag: 'wx' })
  out.line(`Wrote ${options.out} for federation ${bytesToHex(manifestToId(manifest)).slice(0, 16)}.`)
  out.note(
    'Send this file to every operator within three hours. Each then runs `geotrace salt run` or `geotrace central run`.',
  )
  out.note('The federation is founded when all peers are online and have certified roster 0.')
}
