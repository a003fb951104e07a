/**
 * `geotrace federation found CARD… --central CARD`: freezes the founding manifest from the cards of the members.
 * Throws COMMAND_INVALID, MANIFEST_INVALID.
 */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import {
  ACCURACY_DEFAULT_M,
  ACCURACY_MAX_M,
  DEFAULT_PARAMETERS,
  type FrozenManifest,
  REPLICAS_MAX,
  SHARDS_MAX,
} from '@geotrace/core-wasm/wire'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parametersToSalting, priceText, saltingText } from '../../admin/page/salting-words.ts'
import { type MemberCard, newManifest } from '../../membership/new-manifest.ts'
import { createFiles } from '../../platform/atomic-file.ts'
import { readCardFile } from '../identity/card.ts'
import { federationName } from '../identity/federation-name.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { optionsToSalting, type SaltingOptions, saltingOption } from '../terminal/salting.ts'
import { assertCards } from './founding-cards.ts'
import { originList } from './propose.ts'

/** The bounds of a manifest. PROTOCOL.md §4.1. */
const PERIOD_EPOCHS_MAX = 65_000
const NAME_MAX = 80
/** The default of `found` and of `complete`. */
const MANIFEST = 'federation.json'
/** The home rule of devices needs two days. */
const RETENTION_DAYS_MIN = 2
const RETENTION_DAYS_MAX = 3_660
const DEVICES_MAX = 4_096

interface FoundOptions extends SaltingOptions {
  central: string
  name: string
  out: string
  shards: number
  devicesPerAddress: number
  periodEpochs: number
  retentionDays: number
  accuracy: number
  quota: 'rolling' | 'strict'
  apps: string[]
}

export function foundCommand(command: Command, out: Output): void {
  command
    .description('write federation.json from the cards that `salt init` and `central init` print')
    .argument('<card...>', 'card files of the salt nodes')
    .requiredOption('--central <card>', 'card file of the central peer')
    .option('--name <name>', 'name of the federation', readName, 'Geo Trace')
    .option('--out <file>', 'manifest to write; an existing file is not overwritten', MANIFEST)
    .option(
      '--shards <n>',
      'number of shards (N) that the world is divided into',
      wholeNumber(1, SHARDS_MAX),
      DEFAULT_PARAMETERS.shards,
    )
    .addOption(saltingOption())
    .option(
      '--replicas <n>',
      'number of salt nodes that hold each shard, R (default: 5, with plain salting 3, or all nodes)',
      wholeNumber(1, REPLICAS_MAX),
    )
    .option(
      '--threshold <n>',
      'number of them that must answer, t (default: half, rounded up)',
      wholeNumber(1, REPLICAS_MAX),
    )
    .option(
      '--devices-per-address <n>',
      'devices behind one address, D: each adds to the quota of that address',
      wholeNumber(1, DEVICES_MAX),
      DEFAULT_PARAMETERS.devicesPerAddress,
    )
    .option(
      '--period-epochs <n>',
      'length of a roster period in epochs of 80 minutes',
      wholeNumber(1, PERIOD_EPOCHS_MAX),
      DEFAULT_PARAMETERS.periodEpochs,
    )
    .option(
      '--retention-days <days>',
      'days until the central peer deletes deposits',
      wholeNumber(RETENTION_DAYS_MIN, RETENTION_DAYS_MAX),
      DEFAULT_PARAMETERS.retentionDays,
    )
    .option(
      '--accuracy <metres>',
      'least accurate fix that devices keep',
      wholeNumber(ACCURACY_DEFAULT_M, ACCURACY_MAX_M),
      ACCURACY_DEFAULT_M,
    )
    .addOption(
      new Option('--quota <rule>', 'quota rule of the salt nodes')
        .choices(['rolling', 'strict'])
        .default(DEFAULT_PARAMETERS.quota),
    )
    .option('--apps <origins>', 'origins of web apps, separated by commas', originList, [...DEFAULT_PARAMETERS.apps])
    .action((cards: string[], options: FoundOptions) => found(cards, options, out))
  examples(command, 'geotrace federation found cards/*.json --central central.json --name "Health South"')
}

async function found(paths: string[], options: FoundOptions, out: Output): Promise<void> {
  if (existsSync(options.out))
    invalidCommand(
      `${options.out} already exists, and a second founding makes a second federation`,
      'move the file away first, or name another file with --out',
    )
  if (!existsSync(dirname(options.out)))
    invalidCommand(`no folder for ${options.out}`, 'create it, or name another file with --out')
  const central = readCardFile(options.central)
  const members = paths.map(readCardFile)
  assertCards([...paths, options.central], [...members, central])
  const manifest = toManifest(members, central, options)
  await createFiles([{ path: options.out, content: `${JSON.stringify(manifest, null, 2)}\n` }])
  const federation = federationName(manifest)
  const salting = parametersToSalting(manifest.parameters)
  out.json({ federation, file: options.out, salting })
  out.line(`Wrote ${options.out} for federation ${federation}.`)
  out.line(`Salting: ${saltingText(salting)}.`)
  const price = priceText(salting)
  if (price !== undefined) out.line(price)
  out.note('Send this file to every operator, yourself included. Each puts it into the directory of its node, runs')
  out.note('`geotrace federation open > opening.json` and sends you opening.json. When you have all of them, run')
  const named = options.out === MANIFEST ? '' : ` --federation ${options.out}`
  out.note(`  geotrace federation complete openings/*.json${named}`)
}

function toManifest(members: MemberCard[], central: MemberCard, options: FoundOptions): FrozenManifest {
  return newManifest({
    name: options.name,
    members,
    central,
    parameters: {
      shards: options.shards,
      ...optionsToSalting(options, members.length),
      devicesPerAddress: options.devicesPerAddress,
      periodEpochs: options.periodEpochs,
      retentionDays: options.retentionDays,
      ...(options.accuracy !== ACCURACY_DEFAULT_M && { accuracyM: options.accuracy }),
      quota: options.quota,
      apps: options.apps,
    },
    at: systemClock().now(),
  })
}

function readName(text: string): string {
  if (text.trim() !== '' && text.length <= NAME_MAX) return text
  throw new InvalidArgumentError(`Expected a name of 1 to ${NAME_MAX} characters.`)
}
