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
import { examples, invalid, wholeNumber } from '../terminal/options.ts'
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
    .option('--name <name>', 'what people call the federation', 'Geo Trace')
    .option('--out <file>', 'the manifest to write; an existing one is kept', 'federation.json')
    .option('--shards <n>', 'N: the world is divided into this many shards', wholeNumber, DEFAULT_PARAMETERS.shards)
    .option('--replicas <n>', 'R: salt nodes that hold each shard', wholeNumber, DEFAULT_PARAMETERS.replicas)
    .option(
      '--period-epochs <n>',
      'epochs of 80 minutes between two rosters',
      wholeNumber,
      DEFAULT_PARAMETERS.periodEpochs,
    )
    .option(
      '--retention-days <days>',
      'the central peer forgets after this',
      wholeNumber,
      DEFAULT_PARAMETERS.retentionDays,
    )
    .option('--quota <rule>', 'rolling or strict', DEFAULT_PARAMETERS.quota)
    .action((cards: string[], options: FoundOptions) => found(cards, options, out))
  return examples(command, 'geotrace federation found cards/*.json --central central.json --name "Health South"')
}

function found(cards: string[], options: FoundOptions, out: Output): void {
  if (existsSync(options.out))
    invalid(`${options.out} exists: a second founding is a second federation; move it away first`)
  const read = (path: string) => {
    if (!existsSync(path)) invalid(`there is no ${path}`)
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
  out.line(`${options.out}: federation ${bytesToHex(manifestToId(manifest)).slice(0, 16)}`)
  out.note(
    'Give this file to every operator within three hours; then each runs `geotrace salt run` or `geotrace central run`.',
  )
  out.note('The federation is founded when all of them are up and have certified roster 0.')
}
