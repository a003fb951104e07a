/**
 * The options by which a command chooses the salting of a federation that it founds. node/README.md "Salting".
 * Throws COMMAND_INVALID.
 */
import { DEFAULT_PARAMETERS, type Parameters, PLAIN_SALTING } from '@geotrace/core-wasm/wire'
import { Option } from 'commander'
import { invalidCommand } from './invalid-command.ts'

type SaltingName = Parameters['salting']
export type SaltingParameters = Pick<Parameters, 'salting' | 'replicas' | 'threshold'>

export interface SaltingOptions {
  salting: SaltingName
  /** Replicas that must answer. */
  threshold?: number
  /** Replicas of a shard. */
  replicas?: number
}

export function saltingOption(): Option {
  return new Option('--salting <name>', 'how positions become hashes; plain is weak: one request opens a region')
    .choices(['threshold', 'plain'])
    .default(DEFAULT_PARAMETERS.salting)
}

/** Without numbers half of five replicas must answer, rounded up, or half of all nodes where there are fewer. */
export function optionsToSalting({ salting, threshold, replicas }: SaltingOptions, nodes: number): SaltingParameters {
  if (salting === 'plain') {
    if (threshold !== undefined && threshold !== 1)
      invalidCommand('--threshold belongs to the salting threshold', 'remove --threshold, or remove --salting plain')
    return { ...PLAIN_SALTING, replicas: replicas ?? Math.min(PLAIN_SALTING.replicas, nodes) }
  }
  const held = replicas ?? Math.min(DEFAULT_PARAMETERS.replicas, nodes)
  return { salting, replicas: held, threshold: threshold ?? Math.ceil(held / 2) }
}
