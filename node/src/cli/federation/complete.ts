/**
 * `geotrace federation complete OPENING…`: adds the opened nonces of all members to federation.json. PROTOCOL.md §4.2.
 * Throws COMMAND_INVALID, MANIFEST_INVALID.
 */
import { bytesToHex, completeManifest, manifestToId } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { replaceFile } from '../../platform/atomic-file.ts'
import { examples, readFrozenManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { openingsToNonces, readOpenings } from './openings.ts'

export function completeCommand(command: Command, out: Output): void {
  command
    .description('add the openings of all members to federation.json, as the founder')
    .argument('<opening...>', 'files that `federation open` printed, one of each member')
    .option('--federation <file>', 'manifest that `federation found` wrote', 'federation.json')
    .action((files: string[], options: { federation: string }) => complete(files, options.federation, out))
  examples(command, 'geotrace federation complete openings/*.json')
}

async function complete(files: string[], path: string, out: Output): Promise<void> {
  const frozen = readFrozenManifest(path)
  const manifest = completeManifest(frozen, openingsToNonces(frozen, files.flatMap(readOpenings)))
  await replaceFile(path, `${JSON.stringify(manifest, null, 2)}\n`)
  const federation = bytesToHex(manifestToId(manifest)).slice(0, 16)
  out.json({ federation, file: path })
  out.line(`Completed ${path} for federation ${federation}.`)
  out.note('Send this file to every operator. Each puts it into the directory of its node and runs')
  out.note('`geotrace salt run` or `geotrace central run`.')
  out.note('The federation is founded when all peers are online and have certified roster 0.')
}
